#include "CAllocator.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void c_allocator_keep_freed_memory(int bytes) {
    // glibc maps blocks above 32 MiB one by one, whatever is asked for.
    mallopt(M_MMAP_THRESHOLD, bytes < (32 << 20) ? bytes : (32 << 20));
    mallopt(M_TRIM_THRESHOLD, bytes);
}
#else
void c_allocator_keep_freed_memory(int bytes) { (void)bytes; }
#endif
