#include "CKernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float dot(const float *restrict a, const float *restrict b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

FAST float gantry_dot_f32(const float *a, const float *b, size_t n) { return dot(a, b, n); }

FAST void gantry_scan_i8(const int8_t *query, const int8_t *rows, size_t count, size_t dimension, int32_t *sums) {
    // Processors fetch ahead by themselves, but not over the end of a page of memory.
    const size_t distance = 6144;
    for (size_t row = 0; row < count; row++) {
        const int8_t *values = rows + row * dimension;
        if ((count - row) * dimension > distance + dimension)
            for (size_t i = 0; i < dimension; i += 64) __builtin_prefetch(values + distance + i);
        int32_t sum = 0;
        for (size_t i = 0; i < dimension; i++) sum += (int32_t)query[i] * (int32_t)values[i];
        sums[row] = sum;
    }
}

FAST void gantry_add3(const float *a, const float *b, const float *c, size_t width, float *result) {
    for (size_t i = 0; i < width; i++) result[i] = a[i] + b[i] + c[i];
}

FAST void gantry_mean_pool(const float *x, size_t rows, size_t width, float *result) {
    memset(result, 0, width * sizeof(float));
    for (size_t row = 0; row < rows; row++, x += width)
        for (size_t i = 0; i < width; i++) result[i] += x[i];
    float squares = 0;
    for (size_t i = 0; i < width; i++) squares += result[i] * result[i];
    float factor = 1.0f / sqrtf(squares > 0 ? squares : 1.0f);
    for (size_t i = 0; i < width; i++) result[i] *= factor;
}
