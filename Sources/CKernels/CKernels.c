#include "CKernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define FAST __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FAST
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE float dot(const float *restrict a, const float *restrict b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

FAST float gantry_dot_f32(const float *a, const float *b, size_t n) { return dot(a, b, n); }

FAST void gantry_scan_f32(const float *query, const float *rows, size_t count, size_t dimension, float *scores) {
    for (size_t row = 0; row < count; row++) scores[row] = dot(query, rows + row * dimension, dimension);
}

FAST void gantry_scan_i8(const int8_t *query, const int8_t *rows, size_t count, size_t dimension, int32_t *sums) {
    for (size_t row = 0; row < count; row++) {
        const int8_t *values = rows + row * dimension;
        int32_t sum = 0;
        for (size_t i = 0; i < dimension; i++) sum += (int32_t)query[i] * (int32_t)values[i];
        sums[row] = sum;
    }
}

/// e^x with a relative error of about 1e-7: 2^n times a polynomial on the rest, which vectorises where expf does not.
INLINE float fast_exp(float x) {
    x = x > 88.0f ? 88.0f : (x < -87.0f ? -87.0f : x);
    float n = __builtin_floorf(x * 1.44269504089f + 0.5f);
    float r = x - n * 0.693359375f;
    r += n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/// The error function, by formula 7.1.26 of Abramowitz and Stegun: absolute error below 1.5e-7.
INLINE float fast_erf(float x) {
    float z = __builtin_fabsf(x);
    float t = 1.0f / (1.0f + 0.3275911f * z);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    return __builtin_copysignf(1.0f - p * fast_exp(-z * z), x);
}

FAST void gantry_add_bias(float *x, const float *bias, size_t rows, size_t width) {
    for (size_t row = 0; row < rows; row++, x += width)
        for (size_t i = 0; i < width; i++) x[i] += bias[i];
}

FAST void gantry_bias_gelu(float *x, const float *bias, size_t rows, size_t width) {
    for (size_t row = 0; row < rows; row++, x += width)
        for (size_t i = 0; i < width; i++) {
            float v = x[i] + bias[i];
            x[i] = 0.5f * v * (1.0f + fast_erf(v * 0.70710678118f));
        }
}

FAST void gantry_add_layer_norm(float *x, const float *bias, const float *residual, const float *gain,
                                const float *shift, size_t rows, size_t width, float epsilon) {
    for (size_t row = 0; row < rows; row++, x += width, residual += width) {
        float sum = 0;
        for (size_t i = 0; i < width; i++) {
            x[i] += bias[i] + residual[i];
            sum += x[i];
        }
        float mean = sum / (float)width, squares = 0;
        for (size_t i = 0; i < width; i++) {
            float d = x[i] - mean;
            squares += d * d;
        }
        float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
        for (size_t i = 0; i < width; i++) x[i] = (x[i] - mean) * scale * gain[i] + shift[i];
    }
}

FAST void gantry_softmax(float *x, size_t rows, size_t columns, float scale) {
    for (size_t row = 0; row < rows; row++, x += columns) {
        float greatest = x[0];
        for (size_t i = 1; i < columns; i++) greatest = x[i] > greatest ? x[i] : greatest;
        float sum = 0;
        for (size_t i = 0; i < columns; i++) {
            x[i] = fast_exp((x[i] - greatest) * scale);
            sum += x[i];
        }
        float factor = 1.0f / sum;
        for (size_t i = 0; i < columns; i++) x[i] *= factor;
    }
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
