/* The same where MPI lets only one thread make its calls. */
#include "tests/support/reduction_test.h"

#include <mpi.h>

int main(int argc, char **argv) {
    return reduction_tests(argc, argv, MPI_THREAD_FUNNELED);
}
