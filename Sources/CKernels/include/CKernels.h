#pragma once

#include <stddef.h>
#include <stdint.h>

// Elementwise and scanning loops that the compiler turns into vector code. On x86-64 each exists for several processor
// generations and the best one is picked when the program starts, so that one binary runs everywhere.

/// The dot product of two vectors.
float gantry_dot_f32(const float *a, const float *b, size_t n);

/// scores[i] = dot(query, rows + i * dimension)
void gantry_scan_f32(const float *query, const float *rows, size_t count, size_t dimension, float *scores);

/// sums[i] = dot(query, rows + i * dimension), for at most 100,000 dimensions.
void gantry_scan_i8(const int8_t *query, const int8_t *rows, size_t count, size_t dimension, int32_t *sums);

/// Adds a bias to each row.
void gantry_add_bias(float *x, const float *bias, size_t rows, size_t width);

/// Adds a bias to each row, then applies GELU (Hendrycks and Gimpel, arXiv:1606.08415) with the exact error function.
void gantry_bias_gelu(float *x, const float *bias, size_t rows, size_t width);

/// x = normalise(x + bias + residual) * gain + shift, row by row (Ba, Kiros and Hinton, arXiv:1607.06450).
void gantry_add_layer_norm(float *x, const float *bias, const float *residual, const float *gain, const float *shift,
                           size_t rows, size_t width, float epsilon);

/// Softmax of scale * x, row by row.
void gantry_softmax(float *x, size_t rows, size_t columns, float scale);

/// The mean of the rows, scaled to length 1.
void gantry_mean_pool(const float *x, size_t rows, size_t width, float *result);
