/* What this binary is: compiled in, printed by `adapt version`, written into every archive. */
#ifndef ADAPT_BASE_VERSION_H
#define ADAPT_BASE_VERSION_H

struct version {
    const char *version;  /* "0.1.0" */
    const char *commit;   /* git describe --always --dirty, or "unknown" */
    const char *compiler; /* "GNU 12.2.0" */
    const char *flags;    /* the C flags */
    const char *type;     /* Release, Debug, ... */
    const char *gemm;     /* "onednn" or "cblas" */
};

/* Static strings, never NULL. */
struct version version_get(void);

#endif
