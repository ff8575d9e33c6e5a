#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__linux__)
#define FAST __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FAST
#endif

// Elementwise and scanning loops that the compiler turns into vector code. On x86-64 each exists for several processor
// generations and the best one is picked when the program starts, so that one binary runs everywhere.

/// The dot product of two vectors.
float gantry_dot_f32(const float *a, const float *b, size_t n);

/// sums[i] = dot(query, rows + i * dimension), for at most 100,000 dimensions.
void gantry_scan_i8(const int8_t *query, const int8_t *rows, size_t count, size_t dimension, int32_t *sums);

/// result = a + b + c
void gantry_add3(const float *a, const float *b, const float *c, size_t width, float *result);

/// The mean of the rows, scaled to length 1.
void gantry_mean_pool(const float *x, size_t rows, size_t width, float *result);

// Linear layers: y = x * transpose(weights) + bias. The weights, n rows of k numbers, are packed once, in the order in
// which they are read. n is a multiple of gantry_panel, and k is even.
//
// There are two precisions: 32-bit floats, and 16-bit integers for processors that multiply and add four numbers of them
// in the time of two floats (VNNI). Integers are at most gantry_i16_limit, so that 32-bit sums of 384 products can't
// overflow; each row of x and each row of the weights has a scale of its own, and whatever isn't a product of matrices is
// done in floats.

/// The instructions that a kernel is made of.
enum gantry_processor {
    gantry_portable,
    gantry_avx2,
    gantry_avx_vnni,
    gantry_avx512,
    /// The code of gantry_avx_vnni in the encoding of AVX-512, for tests.
    gantry_avx512_half,
};

enum {
    gantry_panel = 32,
    gantry_i16_limit = 2047,
    /// Flag of a linear layer: y += instead of y =.
    gantry_add = 1,
    /// Flag of a linear layer: apply GELU (Hendrycks and Gimpel, arXiv:1606.08415) with the exact error function.
    gantry_gelu = 2,
};

/// The fastest that this processor runs.
enum gantry_processor gantry_best_processor(void);

/// Whether this processor runs them.
bool gantry_runs(enum gantry_processor processor);

/// Whether 16-bit integers are faster than floats with them; only then may gantry_linear_i16 be called.
bool gantry_has_i16(enum gantry_processor processor);

/// packed: n * k numbers.
void gantry_pack_f32(const float *weights, size_t n, size_t k, float *packed);

/// packed: n * k numbers; scales: n.
void gantry_pack_i16(const float *weights, size_t n, size_t k, int16_t *packed, float *scales);

/// x: m rows of k numbers; y: m rows of n; bias: n numbers or null.
void gantry_linear_f32(enum gantry_processor processor, const float *x, const float *packed, const float *bias,
                       int flags, float *y, size_t m, size_t n, size_t k);

/// Makes 16-bit integers of the rows of x; x[i] is about result[i] * scales[row]. The width is a multiple of 16.
void gantry_quantise_i16(enum gantry_processor processor, const float *x, size_t rows, size_t width, int16_t *result,
                         float *scales);

/// As gantry_linear_f32, for what gantry_quantise_i16 and gantry_pack_i16 made.
void gantry_linear_i16(enum gantry_processor processor, const int16_t *x, const float *row_scales,
                       const int16_t *packed, const float *column_scales, const float *bias, int flags, float *y,
                       size_t m, size_t n, size_t k);

/// x = normalise(x) * gain + shift, row by row (Ba, Kiros and Hinton, arXiv:1607.06450). The width is a multiple of 16.
void gantry_layer_norm(enum gantry_processor processor, float *x, const float *gain, const float *shift, size_t rows,
                       size_t width, float epsilon);

/// How many floats gantry_attention wants as scratch.
size_t gantry_attention_scratch(size_t length);

/// Self-attention of one sequence (Vaswani et al., arXiv:1706.03762, section 3.2.1), with heads of gantry_panel numbers.
/// qkv: for each token its query, key and value, each `heads` times as wide as a head; context: one such for each token.
void gantry_attention(enum gantry_processor processor, const float *qkv, size_t length, size_t heads, float *scratch,
                      float *context);
