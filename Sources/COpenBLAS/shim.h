#pragma once

// The two functions that we need. OpenBLAS's own header drags in C's complex types, which Swift can't import.

/// C = alpha * op(A) * op(B) + beta * C, in single precision.
/// order: 101 row-major; transpose: 111 no, 112 yes.
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc);

/// How many threads one call may use.
void openblas_set_num_threads(int count);
