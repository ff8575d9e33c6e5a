// A tile of a matrix product, in the vectors of one instruction set. Included once for each.
//
// Before: NAME(x) makes names, TARGET is the attribute of functions, LANES is how many floats a vector has, ROWS is the
// most rows of a tile; a tile has two vectors side by side, and all of it stays in registers. VNNI(sum, a, b), if it is
// defined, adds to each 32-bit sum the two products of the pairs of 16-bit numbers in a and b.

typedef float NAME(vector) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose_vector) __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t NAME(ints) __attribute__((vector_size(4 * LANES)));
typedef int16_t NAME(shorts) __attribute__((vector_size(2 * LANES)));
typedef int32_t NAME(loose_ints) __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE TARGET NAME(vector) NAME(load)(const float *x) { return *(const NAME(loose_vector) *)x; }
INLINE TARGET void NAME(store)(float *x, NAME(vector) v) { *(NAME(loose_vector) *)x = v; }

/// e^x with a relative error of about 1e-7: 2^n times a polynomial on the rest.
INLINE TARGET NAME(vector) NAME(exp)(NAME(vector) x) {
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, (NAME(vector)){} - 87.0f), (NAME(vector)){} + 88.0f);
    NAME(vector) n = __builtin_elementwise_floor(x * 1.44269504089f + 0.5f);
    NAME(vector) r = x - n * 0.693359375f + n * 2.12194440e-4f;
    NAME(vector) p = (NAME(vector)){} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    NAME(ints) bits = (__builtin_convertvector(n, NAME(ints)) + 127) << 23;
    return p * (NAME(vector))bits;
}

/// GELU (Hendrycks and Gimpel, arXiv:1606.08415), with the error function by formula 7.1.26 of Abramowitz and Stegun:
/// absolute error below 1.5e-7.
INLINE TARGET NAME(vector) NAME(gelu)(NAME(vector) x) {
    NAME(vector) z = __builtin_elementwise_abs(x) * 0.70710678118f;
    NAME(vector) t = 1.0f / (1.0f + 0.3275911f * z);
    NAME(vector) p =
        ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    NAME(vector) erf = __builtin_elementwise_copysign(1.0f - p * NAME(exp)(-z * z), x);
    return 0.5f * x * (1.0f + erf);
}

INLINE TARGET float NAME(sum)(NAME(vector) x) {
    float sum = 0;
    for (size_t i = 0; i < LANES; i++) sum += x[i];
    return sum;
}

TARGET static void NAME(softmax)(float *x, size_t width, float scale) {
    NAME(vector) most = NAME(load)(x), sum = {};
    for (size_t i = LANES; i < width; i += LANES) most = __builtin_elementwise_max(most, NAME(load)(x + i));
    NAME(vector) greatest = (NAME(vector)){} + __builtin_reduce_max(most);
    for (size_t i = 0; i < width; i += LANES) {
        NAME(vector) power = NAME(exp)((NAME(load)(x + i) - greatest) * scale);
        NAME(store)(x + i, power);
        sum += power;
    }
    float factor = 1.0f / NAME(sum)(sum);
    for (size_t i = 0; i < width; i += LANES) NAME(store)(x + i, NAME(load)(x + i) * factor);
}

TARGET static void NAME(layer_norm)(float *x, const float *gain, const float *shift, size_t width, float epsilon) {
    NAME(vector) sum = {}, squares = {};
    for (size_t i = 0; i < width; i += LANES) sum += NAME(load)(x + i);
    float mean = NAME(sum)(sum) / (float)width;
    for (size_t i = 0; i < width; i += LANES) {
        NAME(vector) d = NAME(load)(x + i) - mean;
        squares += d * d;
    }
    float scale = 1.0f / sqrtf(NAME(sum)(squares) / (float)width + epsilon);
    for (size_t i = 0; i < width; i += LANES)
        NAME(store)(x + i, (NAME(load)(x + i) - mean) * scale * NAME(load)(gain + i) + NAME(load)(shift + i));
}

/// Returns the scale.
TARGET static float NAME(quantise)(const float *x, size_t width, int16_t *result) {
    NAME(vector) most = {};
    for (size_t i = 0; i < width; i += LANES)
        most = __builtin_elementwise_max(most, __builtin_elementwise_abs(NAME(load)(x + i)));
    float greatest = __builtin_reduce_max(most), factor = greatest > 0 ? gantry_i16_limit / greatest : 0;
    for (size_t i = 0; i < width; i += LANES) {
        NAME(ints) whole = __builtin_convertvector(__builtin_elementwise_rint(NAME(load)(x + i) * factor), NAME(ints));
        NAME(shorts) narrow = __builtin_convertvector(whole, NAME(shorts));
        memcpy(result + i, &narrow, sizeof narrow);
    }
    return greatest / gantry_i16_limit;
}

/// What becomes of a row of a finished tile.
INLINE TARGET void NAME(finish)(NAME(vector) left, NAME(vector) right, const float *bias, int flags, float *c) {
    if (bias) left += NAME(load)(bias), right += NAME(load)(bias + LANES);
    if (flags & ADD) left += NAME(load)(c), right += NAME(load)(c + LANES);
    if (flags & gantry_gelu) left = NAME(gelu)(left), right = NAME(gelu)(right);
    NAME(store)(c, left);
    NAME(store)(c + LANES, right);
}

INLINE TARGET void NAME(f32_rows)(const size_t rows, const float *a, size_t lda, const float *b, size_t ldb, size_t k,
                                  const float *bias, int flags, float *c, size_t ldc) {
    NAME(vector) sums[ROWS][2];
    UNROLL for (size_t i = 0; i < rows; i++) sums[i][0] = sums[i][1] = (NAME(vector)){};
    for (size_t p = 0; p < k; p++) {
        NAME(vector) left = NAME(load)(b + p * ldb), right = NAME(load)(b + p * ldb + LANES);
        UNROLL for (size_t i = 0; i < rows; i++) {
            sums[i][0] += a[i * lda + p] * left;
            sums[i][1] += a[i * lda + p] * right;
        }
    }
    UNROLL for (size_t i = 0; i < rows; i++) NAME(finish)(sums[i][0], sums[i][1], bias, flags, c + i * ldc);
}

/// One tile: c = a * b, where row p of b starts at b + p * ldb.
TARGET static void NAME(f32_tile)(size_t rows, const float *a, size_t lda, const float *b, size_t ldb, size_t k,
                                  const float *bias, int flags, float *c, size_t ldc) {
#define CASE(n)                                                                         \
    case n:                                                                             \
        if (n <= ROWS) NAME(f32_rows)(n, a, lda, b, ldb, k, bias, flags, c, ldc); \
        break;
    switch (rows) { EACH_CASE }
#undef CASE
}

#ifdef VNNI
INLINE TARGET void NAME(i16_rows)(const size_t rows, const int16_t *a, size_t lda, const float *row_scales,
                                  const int16_t *b, size_t k, const float *column_scales, const float *bias, int flags,
                                  float *c, size_t ldc) {
    NAME(ints) sums[ROWS][2];
    UNROLL for (size_t i = 0; i < rows; i++) sums[i][0] = sums[i][1] = (NAME(ints)){};
    for (size_t p = 0; p < k; p += 2) {
        NAME(ints) left = *(const NAME(loose_ints) *)(b + p * PANEL);
        NAME(ints) right = *(const NAME(loose_ints) *)(b + p * PANEL + 2 * LANES);
        UNROLL for (size_t i = 0; i < rows; i++) {
            int32_t pair;
            memcpy(&pair, a + i * lda + p, sizeof pair);
            NAME(ints) both = (NAME(ints)){} + pair;
            VNNI(sums[i][0], both, left);
            VNNI(sums[i][1], both, right);
        }
    }
    NAME(vector) left = NAME(load)(column_scales), right = NAME(load)(column_scales + LANES);
    UNROLL for (size_t i = 0; i < rows; i++)
        NAME(finish)(__builtin_convertvector(sums[i][0], NAME(vector)) * (left * row_scales[i]),
                     __builtin_convertvector(sums[i][1], NAME(vector)) * (right * row_scales[i]), bias, flags,
                     c + i * ldc);
}

TARGET static void NAME(i16_tile)(size_t rows, const int16_t *a, size_t lda, const float *row_scales, const int16_t *b,
                                  size_t k, const float *column_scales, const float *bias, int flags, float *c,
                                  size_t ldc) {
#define CASE(n)                                                                                                   \
    case n:                                                                                                       \
        if (n <= ROWS) NAME(i16_rows)(n, a, lda, row_scales, b, k, column_scales, bias, flags, c, ldc);          \
        break;
    switch (rows) { EACH_CASE }
#undef CASE
}
#undef VNNI
#endif

#undef NAME
#undef TARGET
#undef LANES
#undef ROWS
