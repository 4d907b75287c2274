/*
 * The version of the application as a text and as a number that code can compare.
 *
 * The build defines APP_VERSION as a text such as "1.1.0". APP_VERSION_NUMBER is 10100 for it: two
 * decimal digits each for minor and patch. The compiler knows its value, the preprocessor does not:
 * use it in `if`; the branch that is not taken leaves nothing in the image.
 */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#include <stdint.h>

#ifndef APP_VERSION
#error "APP_VERSION is not defined: compile with -DAPP_VERSION='\"1.0.0\"'"
#endif

#define APP_VERSION_DIGIT(at) ((uint32_t)(APP_VERSION[at] - '0'))

/* A part of the version starts at `from` and has one digit, or two when no dot or end follows. */
#define APP_VERSION_SHORT(from) (APP_VERSION[(from) + 1u] < '0')
#define APP_VERSION_PART(from)                  \
    (APP_VERSION_SHORT(from) ? APP_VERSION_DIGIT(from) \
                             : APP_VERSION_DIGIT(from) * 10u + APP_VERSION_DIGIT((from) + 1u))
#define APP_VERSION_NEXT(from) ((from) + (APP_VERSION_SHORT(from) ? 2u : 3u))

#define APP_VERSION_MINOR APP_VERSION_NEXT(0u)
#define APP_VERSION_PATCH APP_VERSION_NEXT(APP_VERSION_MINOR)

#ifndef APP_VERSION_NUMBER
#define APP_VERSION_NUMBER                                                   \
    (APP_VERSION_PART(0u) * 10000u + APP_VERSION_PART(APP_VERSION_MINOR) * 100u \
     + APP_VERSION_PART(APP_VERSION_PATCH))
#endif

#endif
