#include "runner/threads.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static int from_environment(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    return text ? atoi(text) : 0;
}

static int allowed_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int threads_alone(int asked) {
    if (asked > 0) return asked;
    int environment = from_environment();
    return environment > 0 ? environment : allowed_cores();
}

int threads_per_rank(MPI_Comm world, int asked) {
    MPI_Comm node;
    int ranks = 1, cores = allowed_cores();
    if (MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) == MPI_SUCCESS) {
        MPI_Comm_size(node, &ranks);
        MPI_Comm_free(&node);
    }
    if (asked > 0) return asked;
    int environment = from_environment();
    if (environment > 0) return environment;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if ((long)cores * ranks <= online) return cores; /* bound to cores of its own */
    int share = (int)(online / ranks);
    return share > 0 ? share : 1;
}

static int nth_core(const cpu_set_t *set, int n) {
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, set) && n-- == 0) return core;
    return -1;
}

bool threads_pin(int threads) {
    cpu_set_t set;
    if (getenv("OMP_PROC_BIND") || sched_getaffinity(0, sizeof set, &set)) return false;
    if (CPU_COUNT(&set) < threads || CPU_COUNT(&set) >= sysconf(_SC_NPROCESSORS_ONLN)) return false;
#pragma omp parallel num_threads(threads)
    {
        int thread = omp_get_thread_num(), core = nth_core(&set, thread);
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        if (thread > 0) sched_setaffinity(0, sizeof own, &own);
    }
    return true;
}
