#include "tests/support/linked_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/device.h"
#include "train/cuda/cuda.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

const struct linked_case *linked_cases(const char *device) {
    static const struct linked_case in_host_memory[] = {{"cpu", LINK_AUTO}, {"memcheck", LINK_AUTO}, {0}};
    static const struct linked_case gpus[] = {{"cuda", LINK_AUTO}, {"cuda", LINK_HOST}, {0}};
    static const struct linked_case emulated[] = {
        {"cuda", LINK_AUTO}, {"cuda", LINK_HOST}, {"cuda", LINK_MPI}, {0}};
    char why[256];
    if (!device || strcmp(device, "cuda")) return in_host_memory;
    if (!cuda_device_count(why, sizeof why)) {
        printf("skipped: %s\n", why);
        MPI_Finalize();
        exit(SKIPPED);
    }
    return linked_emulated() ? emulated : gpus;
}

bool linked_emulated(void) {
    char text[512];
    cuda_describe(text, sizeof text);
    return strstr(text, "emulated GPU") != NULL;
}

void linked_group_open(const struct linked_case *chosen, struct group *group, struct backend **backend) {
    struct error err = {0};
    if (group_whole(MPI_COMM_WORLD, group, &err)) fail_msg("%s", err.message);
    char devices[16];
    snprintf(devices, sizeof devices, "%d", group->size);
    setenv("ADAPT_EMULATION_DEVICES", devices, 1); /* of the emulator, where there is one */
    if (chosen->link == LINK_MPI) setenv("ADAPT_EMULATION_MPI", "1", 1);
    if (device_open(MPI_COMM_WORLD, chosen->device, DEVICE_AUTO, 1, backend, &err) ||
        link_open(group, *backend, chosen->link, &err))
        fail_msg("%s", err.message);
    bool cuda = !strcmp(chosen->device, "cuda");
    bool own = cuda && group->size > 1 && cuda_device_count(NULL, 0) >= group->size;
    if (group->rank == 0) print_message("%s: %s\n", chosen->device, link_describe(group));
    assert_int_equal(link_peers(group) != NULL, own && chosen->link == LINK_AUTO);
    assert_int_equal(link_takes_device_memory(group), group->size > 1 && chosen->link == LINK_MPI);
}

void linked_group_close(struct group *group, struct backend **backend) {
    link_close(group);
    backend_destroy(backend);
    group_release(group);
    unsetenv("ADAPT_EMULATION_MPI");
}
