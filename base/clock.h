/* Time. */
#ifndef ADAPT_BASE_CLOCK_H
#define ADAPT_BASE_CLOCK_H

/* Seconds on a clock that never jumps, from an arbitrary start. */
double clock_seconds(void);
/* Seconds since 1970, UTC. */
double clock_epoch(void);

#endif
