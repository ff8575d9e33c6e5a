#pragma once

#include <stddef.h>
#include <stdint.h>

// The best rows of an SQLite full-text index (FTS5) by BM25.
//
// FTS5's own bm25() reads the index twice, once to count in how many rows each word occurs, and looks up the length of every
// row that holds any of them. This one reads it once, a word at a time, and leaves out the rows that,
// however short they were, couldn't be among the best; most rows of a query with a common word are.

/// A range of row numbers, both ends included.
typedef struct {
    int64_t first, last;
} gantry_row_range;

/// A row and how well it matches; more is better.
typedef struct {
    int64_t row;
    double score;
} gantry_row_score;

/// Finds the best rows of a full-text index, best first; equal ones by ascending row number.
///
/// @param database An open sqlite3 connection. The function is registered with it when it is first used.
/// @param table The name of an FTS5 table, from the program and not from a user.
/// @param expression An FTS5 query. Its phrases are the terms.
/// @param weights How much an occurrence counts, for each column of the table.
/// @param columns The number of weights.
/// @param is_filtered Whether only rows in `ranges` may be found; if not, all may.
/// @param ranges The rows that may be found, ascending and without overlap.
/// @param range_count The number of ranges.
/// @param maximum_postings How many pairs of a word and a row are kept in memory, at 16 bytes each. If there are more, the
///     index is read a second time instead, with the same result.
/// @param best Room for `limit` rows.
/// @param limit The most rows to find, at least 1.
/// @param found The number of rows that were found.
/// @param frequencies Room for the number of rows that hold each phrase, in the order of the expression; all of them are
///     set to 0 if no row matches.
/// @param phrases The number of phrases in the expression.
/// @return SQLITE_OK, or the error of SQLite.
int gantry_full_text_search(void *database, const char *table, const char *expression, const double *weights,
                            size_t columns, int is_filtered, const gantry_row_range *ranges, size_t range_count,
                            size_t maximum_postings, gantry_row_score *best, size_t limit, size_t *found,
                            int64_t *frequencies, size_t phrases);
