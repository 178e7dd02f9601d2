/* Sums that go on while vectors are computed, with a thread of their own. */
#include "tests/support/reduction_test.h"

#include <mpi.h>

int main(int argc, char **argv) {
    return reduction_tests(argc, argv, /* DEVICE-ARGUMENT */ MPI_THREAD_SERIALIZED);
}
