#pragma once

// Keeps up to `bytes` of freed memory in each of the allocator's arenas, and takes blocks up to that size from them.
// Does nothing where the C library is not glibc.
void c_allocator_keep_freed_memory(int bytes);
