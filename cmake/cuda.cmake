# The CUDA backend: train/cuda/*.cu in place of its stub. The runtime is linked statically and cuBLASLt is looked for when a
# device is opened, so that the program also starts where there is neither driver nor CUDA.
set(ADAPT_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING "GPUs to build for (as CMAKE_CUDA_ARCHITECTURES)")
set(CMAKE_CUDA_ARCHITECTURES ${ADAPT_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
# Where this CUDA's libraries are, unless the system's search path says otherwise.
get_filename_component(cuda_libraries ${CMAKE_CUDA_COMPILER} DIRECTORY)
get_filename_component(cuda_libraries ${cuda_libraries}/../lib64 ABSOLUTE)
add_link_options("-Wl,-rpath,${cuda_libraries}")

# NCCL's header, where there is one: the library itself is looked for when ranks are linked.
find_path(NCCL_INCLUDE nccl.h HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} ENV NCCL_HOME PATH_SUFFIXES include)
if(NCCL_INCLUDE)
  include_directories(SYSTEM ${NCCL_INCLUDE})
endif()

# Puts the backend into the library `train` of CMakeLists.txt.
function(adapt_add_cuda)
  file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/train/cuda/*.cu)
  get_target_property(train_sources adapt_train SOURCES)
  list(FILTER train_sources EXCLUDE REGEX "/train/cuda/stub[.]c$")
  set_target_properties(adapt_train PROPERTIES SOURCES "${train_sources};${cuda_sources}")
  target_compile_options(adapt_train PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Wall,-Wextra>")
  target_link_libraries(adapt_train PUBLIC ${CMAKE_DL_LIBS})
endfunction()
