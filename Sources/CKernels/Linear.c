#include "CKernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
// clang-format off
#define EACH_CASE CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
// clang-format on

/// Flag of a tile: add what is in c. Beside gantry_gelu.
#define ADD gantry_add

/// Columns of a packed panel: rows of a panel lie one behind the other, and a panel of one block fits the level 1 or 2
/// cache.
#define PANEL ((size_t)gantry_panel)
/// Rows of a panel that are multiplied at a time. 32-bit sums of products of gantry_i16_limit hold this many.
#define BLOCK ((size_t)384)
/// Columns whose panels of one block stay in the level 2 cache while all rows pass.
#define STRIPE ((size_t)512)

#define NAME(x) portable_##x
#define TARGET
#define LANES 4
#define ROWS 4
#include "Tile.h"

#ifdef __x86_64__
#define NAME(x) avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#include "Tile.h"

// In assembler: the compiler makes two instructions of the intrinsic, which are half as fast on the processors that
// this is for.
#define NAME(x) avx_vnni_##x
#define TARGET __attribute__((target("avx2,fma,avxvnni")))
#define LANES 8
#define ROWS 6
#define VNNI(sum, a, b) __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#include "Tile.h"

#define NAME(x) avx512_##x
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")))
#define LANES 16
#define ROWS 14
#define VNNI(sum, a, b) __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#include "Tile.h"

// The same as avx_vnni in the encoding of AVX-512, so that the code can be tested where there is no AVX-VNNI.
#define NAME(x) avx512_half_##x
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))
#define LANES 8
#define ROWS 6
#define VNNI(sum, a, b) __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))
#include "Tile.h"
#endif

typedef void f32_tile(size_t rows, const float *a, size_t lda, const float *b, size_t ldb, size_t k, const float *bias,
                      int flags, float *c, size_t ldc);
typedef void i16_tile(size_t rows, const int16_t *a, size_t lda, const float *row_scales, const int16_t *b, size_t k,
                      const float *column_scales, const float *bias, int flags, float *c, size_t ldc);

struct kernel {
    size_t rows, columns;
    f32_tile *f32;
    i16_tile *i16;
    void (*softmax)(float *x, size_t width, float scale);
    void (*layer_norm)(float *x, const float *gain, const float *shift, size_t width, float epsilon);
    float (*quantise)(const float *x, size_t width, int16_t *result);
};

#define KERNEL(rows, columns, name, i16) \
    (struct kernel) { rows, columns, name##_f32_tile, i16, name##_softmax, name##_layer_norm, name##_quantise }

static struct kernel kernel_of(enum gantry_processor processor) {
    switch (processor) {
#ifdef __x86_64__
    case gantry_avx2: return KERNEL(6, 16, avx2, 0);
    case gantry_avx_vnni: return KERNEL(6, 16, avx_vnni, avx_vnni_i16_tile);
    case gantry_avx512: return KERNEL(14, 32, avx512, avx512_i16_tile);
    case gantry_avx512_half: return KERNEL(6, 16, avx512_half, avx512_half_i16_tile);
#endif
    default: return KERNEL(4, 8, portable, 0);
    }
}

bool gantry_runs(enum gantry_processor processor) {
    switch (processor) {
    case gantry_portable: return true;
#ifdef __x86_64__
    case gantry_avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case gantry_avx_vnni: return gantry_runs(gantry_avx2) && __builtin_cpu_supports("avxvnni");
    case gantry_avx512:
    case gantry_avx512_half:
        return gantry_runs(gantry_avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
#endif
    default: return false;
    }
}

bool gantry_has_i16(enum gantry_processor processor) { return kernel_of(processor).i16 != 0; }

enum gantry_processor gantry_best_processor(void) {
    static const enum gantry_processor order[] = {gantry_avx512, gantry_avx_vnni, gantry_avx2};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (gantry_runs(order[i])) return order[i];
    return gantry_portable;
}

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

void gantry_pack_f32(const float *weights, size_t n, size_t k, float *packed) {
    for (size_t start = 0; start < k; start += BLOCK)
        for (size_t column = 0; column < n; column += PANEL)
            for (size_t p = start; p < least(start + BLOCK, k); p++)
                for (size_t j = 0; j < PANEL; j++) *packed++ = weights[(column + j) * k + p];
}

/// The largest absolute value of a row.
INLINE float greatest(const float *x, size_t width) {
    float result = 0;
    for (size_t i = 0; i < width; i++) {
        float value = __builtin_fabsf(x[i]);
        result = value > result ? value : result;
    }
    return result;
}

void gantry_pack_i16(const float *weights, size_t n, size_t k, int16_t *packed, float *scales) {
    for (size_t j = 0; j < n; j++) scales[j] = greatest(weights + j * k, k) / gantry_i16_limit;
    for (size_t start = 0; start < k; start += BLOCK)
        for (size_t column = 0; column < n; column += PANEL)
            for (size_t p = start; p < least(start + BLOCK, k); p += 2)
                for (size_t j = column; j < column + PANEL; j++)
                    for (size_t i = p; i < p + 2; i++)
                        *packed++ = scales[j] > 0 ? (int16_t)lrintf(weights[j * k + i] / scales[j]) : 0;
}

void gantry_quantise_i16(enum gantry_processor processor, const float *x, size_t rows, size_t width, int16_t *result,
                         float *scales) {
    struct kernel kernel = kernel_of(processor);
    for (size_t row = 0; row < rows; row++) scales[row] = kernel.quantise(x + row * width, width, result + row * width);
}

void gantry_layer_norm(enum gantry_processor processor, float *x, const float *gain, const float *shift, size_t rows,
                       size_t width, float epsilon) {
    struct kernel kernel = kernel_of(processor);
    for (size_t row = 0; row < rows; row++) kernel.layer_norm(x + row * width, gain, shift, width, epsilon);
}

/// Calls `tile` for the tiles of a product: row, rows, column, start and end of the block of k.
#define EACH_TILE(kernel, m, n, k, tile)                                                                             \
    do {                                                                                                             \
        size_t bands = ((m) + (kernel).rows - 1) / (kernel).rows;                                                    \
        for (size_t start = 0; start < (k); start += BLOCK)                                                          \
            for (size_t stripe = 0; stripe < (n); stripe += STRIPE)                                                  \
                /* Bands of about the same height: a low one costs nearly as much as a full one. */                 \
                for (size_t band = 0; band < bands; band++) {                                                        \
                    size_t row = band * (m) / bands, rows = (band + 1) * (m) / bands - row;                          \
                    size_t depth = least(BLOCK, (k) - start);                                                        \
                    for (size_t column = stripe; column < least(stripe + STRIPE, n); column += (kernel).columns) {   \
                        size_t panel = column / PANEL * PANEL, inside = column % PANEL;                              \
                        const float *tile_bias = start == 0 && bias ? bias + column : 0;                             \
                        int tile_flags = (start > 0 ? ADD : flags & ADD) | (start + depth < (k) ? 0 : flags & gantry_gelu); \
                        tile;                                                                                        \
                    }                                                                                                \
                }                                                                                                    \
    } while (0)

void gantry_linear_f32(enum gantry_processor processor, const float *x, const float *packed, const float *bias,
                       int flags, float *y, size_t m, size_t n, size_t k) {
    struct kernel kernel = kernel_of(processor);
    EACH_TILE(kernel, m, n, k,
              kernel.f32(rows, x + row * k + start, k, packed + start * n + panel * depth + inside, PANEL, depth,
                         tile_bias, tile_flags, y + row * n + column, n));
}

void gantry_linear_i16(enum gantry_processor processor, const int16_t *x, const float *row_scales,
                       const int16_t *packed, const float *column_scales, const float *bias, int flags, float *y,
                       size_t m, size_t n, size_t k) {
    struct kernel kernel = kernel_of(processor);
    EACH_TILE(kernel, m, n, k,
              kernel.i16(rows, x + row * k + start, k, row_scales + row, packed + start * n + panel * depth + 2 * inside,
                         depth, column_scales + column, tile_bias, tile_flags, y + row * n + column, n));
}

/// A length rounded up to whole panels.
INLINE size_t padded(size_t length) { return (length + PANEL - 1) / PANEL * PANEL; }

size_t gantry_attention_scratch(size_t length) { return padded(length) * (PANEL + 14); }

void gantry_attention(enum gantry_processor processor, const float *qkv, size_t length, size_t heads, float *scratch,
                      float *context) {
    struct kernel kernel = kernel_of(processor);
    const size_t width = heads * PANEL, stride = 3 * width, columns = padded(length);
    const size_t bands = (length + kernel.rows - 1) / kernel.rows;
    float *keys = scratch, *scores = scratch + columns * PANEL;
    memset(keys, 0, columns * PANEL * sizeof *keys);
    for (size_t head = 0; head < heads; head++) {
        const float *query = qkv + head * PANEL, *key = query + width, *value = key + width;
        for (size_t j = 0; j < length; j++)
            for (size_t d = 0; d < PANEL; d++) keys[j / PANEL * PANEL * PANEL + d * PANEL + j % PANEL] = key[j * stride + d];
        for (size_t band = 0; band < bands; band++) {
            size_t row = band * length / bands, rows = (band + 1) * length / bands - row;
            for (size_t column = 0; column < columns; column += kernel.columns)
                kernel.f32(rows, query + row * stride, stride,
                           keys + column / PANEL * PANEL * PANEL + column % PANEL, PANEL, PANEL, 0, 0, scores + column,
                           columns);
            for (size_t i = 0; i < rows; i++) {
                // What is beyond the last token gets no weight.
                for (size_t j = length; j < columns; j++) scores[i * columns + j] = -1e30f;
                kernel.softmax(scores + i * columns, columns, 1.0f / sqrtf((float)PANEL));
            }
            for (size_t column = 0; column < PANEL; column += kernel.columns)
                kernel.f32(rows, scores, columns, value + column, stride, length, 0, 0,
                           context + row * width + head * PANEL + column, width);
        }
    }
}
