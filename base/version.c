#include "base/version.h"

#include "build_info.h"

struct version version_get(void) {
    return (struct version){BUILD_VERSION, BUILD_COMMIT, BUILD_COMPILER, BUILD_FLAGS, BUILD_TYPE, BUILD_GEMM};
}
