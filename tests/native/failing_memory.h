/* Put in front of each source of the kernel: an allocation fails when the driver wants it to. */
#include <stdlib.h>

void *driver_malloc(size_t size);
void *driver_calloc(size_t count, size_t size);
void *driver_realloc(void *memory, size_t size);

#define malloc driver_malloc
#define calloc driver_calloc
#define realloc driver_realloc
