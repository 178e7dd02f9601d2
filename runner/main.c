#include "base/version.h"
#include <stdio.h>

int main(void) {
    printf("adapt %s\n", version_get().version);
    return 0;
}
