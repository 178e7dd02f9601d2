/* An MPI that takes device memory, where ADAPT_EMULATION_MPI is set: the calls that Open MPI built with CUDA
 * lets take it, of those that adapt gives it to. */
#define OMPI_SKIP_MPICXX 1
#include "tests/emulation/emulation.h"

#include <cstdlib>
#include <mpi.h>

extern "C" int MPIX_Query_cuda_support(void) {
    return getenv("ADAPT_EMULATION_MPI") != nullptr;
}

extern "C" int MPI_Allgatherv(const void *from, int count, MPI_Datatype type, void *to, const int *counts,
                              const int *displacements, MPI_Datatype type_to, MPI_Comm comm) {
    bool open = MPIX_Query_cuda_support();
    if (open) emulation_memory_open();
    int status = PMPI_Allgatherv(from, count, type, to, counts, displacements, type_to, comm);
    if (open) emulation_memory_close();
    return status;
}
