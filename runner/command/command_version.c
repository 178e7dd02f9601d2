#include "runner/command/command.h"

#include "base/version.h"
#include "io/archive/archive.h"
#include "train/cuda/cuda.h"
#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>

int command_version(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        fputs("usage: adapt version\n", stderr);
        return 2;
    }
    struct version version = version_get();
    unsigned major, minor, release;
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(library, &length);
    for (char *c = library; *c; c++)
        if (*c == '\n' || *c == ',') *c = '\0';
    printf("adapt %s (commit %s)\n", version.version, version.commit);
    printf("compiler  %s, %s: %s\n", version.compiler, version.type, version.flags);
    printf("mpi       %s\n", library);
    printf("hdf5      %u.%u.%u\n", major, minor, release);
    printf("gemm      %s\n", version.gemm);
    printf("schema    %s\n", ARCHIVE_SCHEMA);
    char cuda[2048];
    cuda_describe(cuda, sizeof cuda);
    printf("cuda      %s\n", cuda);
    return 0;
}
