#include "CFullText.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

// The constants of FTS5's bm25(), so that both give the same scores.
static const double k1 = 1.2, b = 0.75;
static const char pointer_type[] = "gantry_full_text_search";

// How often a phrase occurs in a row; an occurrence counts by the weight of its column.
typedef struct {
    int64_t row;
    double occurrences;
} posting;

// The rows that hold a phrase and may be found, in ascending order.
typedef struct {
    posting *postings;
    size_t count, room, next;
} phrase_rows;

typedef struct {
    const double *weights;
    size_t columns;
    int is_filtered;
    const gantry_row_range *ranges;
    size_t range_count, next_range;
    gantry_row_score *best;  // A heap whose root is the worst.
    size_t limit, found;
    int64_t *frequencies;
    size_t phrases;
    size_t maximum_postings, posting_count;
    size_t reading;  // The phrase whose rows are being read.
    int started, is_streamed;
    double average_length;
    // One for each phrase.
    phrase_rows *rows;
    double *idf, *occurrences;
} search;

// MARK: The best rows

static int is_worse(gantry_row_score x, gantry_row_score y) {
    return x.score != y.score ? x.score < y.score : x.row > y.row;
}

static void swap(gantry_row_score *x, gantry_row_score *y) {
    gantry_row_score z = *x;
    *x = *y;
    *y = z;
}

static void sift_down(gantry_row_score *heap, size_t count) {
    size_t parent = 0;
    for (;;) {
        size_t worst = parent;
        for (size_t child = 2 * parent + 1; child <= 2 * parent + 2 && child < count; child++)
            if (is_worse(heap[child], heap[worst])) worst = child;
        if (worst == parent) return;
        swap(&heap[parent], &heap[worst]);
        parent = worst;
    }
}

static void offer(search *s, gantry_row_score match) {
    if (s->found < s->limit) {
        size_t child = s->found++;
        s->best[child] = match;
        while (child > 0 && is_worse(s->best[child], s->best[(child - 1) / 2])) {
            swap(&s->best[child], &s->best[(child - 1) / 2]);
            child = (child - 1) / 2;
        }
    } else if (is_worse(s->best[0], match)) {
        s->best[0] = match;
        sift_down(s->best, s->found);
    }
}

// Turns the heap into a list, best first.
static void sort(search *s) {
    for (size_t count = s->found; count > 1; count--) {
        swap(&s->best[0], &s->best[count - 1]);
        sift_down(s->best, count - 1);
    }
}

// MARK: Reading postings

static int is_allowed(search *s, int64_t row) {
    if (!s->is_filtered) return 1;
    // Rows come in ascending order.
    while (s->next_range < s->range_count && s->ranges[s->next_range].last < row) s->next_range++;
    return s->next_range < s->range_count && s->ranges[s->next_range].first <= row;
}

static int count_occurrences(const search *s, const Fts5ExtensionApi *api, Fts5Context *context, size_t phrase,
                             double *occurrences) {
    Fts5PhraseIter iterator;
    int column, offset;
    *occurrences = 0;
    int result = api->xPhraseFirst(context, (int)phrase, &iterator, &column, &offset);
    if (result != SQLITE_OK) return result;
    for (; column >= 0; api->xPhraseNext(context, &iterator, &column, &offset))
        if ((size_t)column < s->columns) *occurrences += s->weights[column];
    return SQLITE_OK;
}

static void drop_postings(search *s) {
    for (size_t phrase = 0; phrase < s->phrases; phrase++) sqlite3_free(s->rows[phrase].postings);
    memset(s->rows, 0, s->phrases * sizeof *s->rows);
    s->posting_count = 0;
}

// Called for every row that holds one phrase, which is the only one of its query then.
static int read_row(const Fts5ExtensionApi *api, Fts5Context *context, void *data) {
    search *s = data;
    s->frequencies[s->reading]++;
    if (s->is_streamed) return SQLITE_OK;
    posting next = {api->xRowid(context), 0};
    if (!is_allowed(s, next.row)) return SQLITE_OK;
    if (s->posting_count == s->maximum_postings) {
        drop_postings(s);
        s->is_streamed = 1;
        return SQLITE_OK;
    }
    int result = count_occurrences(s, api, context, 0, &next.occurrences);
    if (result != SQLITE_OK) return result;
    phrase_rows *rows = &s->rows[s->reading];
    if (rows->count == rows->room) {
        size_t room = rows->room > 0 ? 2 * rows->room : 256;
        posting *postings = sqlite3_realloc64(rows->postings, room * sizeof *postings);
        if (!postings) return SQLITE_NOMEM;
        rows->postings = postings;
        rows->room = room;
    }
    rows->postings[rows->count++] = next;
    s->posting_count++;
    return SQLITE_OK;
}

// In how many rows each phrase occurs, and in which, and how long a row is on average.
static int start(search *s, const Fts5ExtensionApi *api, Fts5Context *context) {
    sqlite3_int64 rows = 0, tokens = 0;
    int result = api->xRowCount(context, &rows);
    if (result == SQLITE_OK) result = api->xColumnTotalSize(context, -1, &tokens);
    if (result != SQLITE_OK) return result;
    s->average_length = rows > 0 ? (double)tokens / (double)rows : 0;
    for (s->reading = 0; s->reading < s->phrases; s->reading++) {
        s->next_range = 0;
        result = api->xQueryPhrase(context, (int)s->reading, s, read_row);
        if (result != SQLITE_OK) return result;
        double hits = (double)s->frequencies[s->reading];
        s->idf[s->reading] = log(((double)rows - hits + 0.5) / (hits + 0.5));
        if (s->idf[s->reading] <= 0) s->idf[s->reading] = 1e-6;
    }
    s->next_range = 0;
    s->started = 1;
    return SQLITE_OK;
}

// MARK: Scoring

// What a phrase adds to the score of a row. However short a row is, it can't be more than with the relative length 0.
static inline double phrase_score(const search *s, size_t phrase, double relative_length) {
    double occurrences = s->occurrences[phrase];
    return s->idf[phrase] * occurrences * (k1 + 1) / (occurrences + k1 * (1 - b + b * relative_length));
}

static double score(const search *s, double relative_length) {
    double sum = 0;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) sum += phrase_score(s, phrase, relative_length);
    return sum;
}

static void offer_row(search *s, int64_t row, int64_t length) {
    double relative = s->average_length > 0 ? (double)length / s->average_length : 0;
    offer(s, (gantry_row_score){row, score(s, relative)});
}

// The number of tokens of a row. The table has a blob for each row with a varint for each column.
static int read_length(sqlite3_stmt *statement, int64_t row, int64_t *length) {
    *length = 0;
    sqlite3_bind_int64(statement, 1, row);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        const uint8_t *bytes = sqlite3_column_blob(statement, 0);
        int64_t value = 0;
        for (int i = 0, count = sqlite3_column_bytes(statement, 0); i < count; i++) {
            value = value << 7 | (bytes[i] & 0x7f);
            if (bytes[i] & 0x80) continue;
            *length += value;
            value = 0;
        }
    }
    int reset = sqlite3_reset(statement);
    return result == SQLITE_ROW ? SQLITE_OK : result == SQLITE_DONE ? SQLITE_CORRUPT_VTAB : reset;
}

// Sets `occurrences` to those of the next row, in ascending order, that holds any of the phrases.
//
// Returns the most that the row can score, or a number below 0 if there is no further row.
static double next_row(search *s, int64_t *row) {
    *row = INT64_MAX;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) {
        const phrase_rows *rows = &s->rows[phrase];
        if (rows->next < rows->count && rows->postings[rows->next].row < *row) *row = rows->postings[rows->next].row;
    }
    double bound = *row == INT64_MAX ? -1 : 0;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) {
        phrase_rows *rows = &s->rows[phrase];
        s->occurrences[phrase] = 0;
        if (rows->next == rows->count || rows->postings[rows->next].row != *row) continue;
        s->occurrences[phrase] = rows->postings[rows->next++].occurrences;
        bound += phrase_score(s, phrase, 0);
    }
    return bound;
}

// Scores the rows whose postings are in memory.
static int weigh_postings(search *s, sqlite3_stmt *length_of) {
    int64_t row, length;
    for (double bound; (bound = next_row(s, &row)) >= 0;) {
        if (s->found == s->limit && bound <= s->best[0].score) continue;
        int result = read_length(length_of, row, &length);
        if (result != SQLITE_OK) return result;
        offer_row(s, row, length);
    }
    return SQLITE_OK;
}

// Scores the present row of the whole expression.
static int weigh_row(search *s, const Fts5ExtensionApi *api, Fts5Context *context) {
    int64_t row = api->xRowid(context);
    if (!is_allowed(s, row)) return SQLITE_OK;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) {
        int result = count_occurrences(s, api, context, phrase, &s->occurrences[phrase]);
        if (result != SQLITE_OK) return result;
    }
    if (s->found == s->limit && score(s, 0) <= s->best[0].score) return SQLITE_OK;
    int length = 0;
    int result = api->xColumnSize(context, -1, &length);
    if (result == SQLITE_OK) offer_row(s, row, length);
    return result;
}

// The auxiliary function of FTS5: called for the first row that matches, and for all others if they are streamed.
static void weigh(const Fts5ExtensionApi *api, Fts5Context *context, sqlite3_context *answer, int count,
                  sqlite3_value **values) {
    search *s = count == 1 ? sqlite3_value_pointer(values[0], pointer_type) : NULL;
    if (!s || (size_t)api->xPhraseCount(context) != s->phrases) {
        sqlite3_result_error(answer, "The expression has another number of phrases.", -1);
        return;
    }
    int result = s->started ? SQLITE_OK : start(s, api, context);
    if (result == SQLITE_OK && s->is_streamed) result = weigh_row(s, api, context);
    if (result != SQLITE_OK) sqlite3_result_error_code(answer, result);
}

// MARK: Calling it

static int register_function(sqlite3 *database) {
    // https://sqlite.org/fts5.html#extending_fts5
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, "SELECT fts5(?)", -1, &statement, NULL);
    if (result == SQLITE_OK) result = sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
    if (result == SQLITE_OK) sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result != SQLITE_OK) return result;
    return api ? api->xCreateFunction(api, "gantry_weigh", NULL, weigh, NULL) : SQLITE_ERROR;
}

// Prepares a statement whose text has the table's name in place of each %w.
static int prepare(sqlite3 *database, const char *format, const char *table, sqlite3_stmt **statement) {
    char *sql = sqlite3_mprintf(format, table, table, table);
    int result = sql ? sqlite3_prepare_v2(database, sql, -1, statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return result;
}

static int find_best(search *s, sqlite3 *database, const char *table, const char *expression) {
    sqlite3_stmt *matches = NULL, *length_of = NULL;
    int result = prepare(database, "SELECT gantry_weigh(\"%w\", ?) FROM \"%w\" WHERE \"%w\" MATCH ?", table, &matches);
    if (result == SQLITE_OK) result = sqlite3_bind_pointer(matches, 1, s, pointer_type, NULL);
    if (result == SQLITE_OK) result = sqlite3_bind_text(matches, 2, expression, -1, SQLITE_STATIC);
    if (result == SQLITE_OK) {
        do result = sqlite3_step(matches);
        while (result == SQLITE_ROW && s->is_streamed);
        if (result == SQLITE_ROW || result == SQLITE_DONE) result = SQLITE_OK;
    }
    sqlite3_finalize(matches);
    if (result == SQLITE_OK)
        result = prepare(database, "SELECT sz FROM \"%w_docsize\" WHERE id = ?", table, &length_of);
    if (result == SQLITE_OK) result = weigh_postings(s, length_of);
    sqlite3_finalize(length_of);
    return result;
}

int gantry_full_text_search(void *database, const char *table, const char *expression, const double *weights,
                            size_t columns, int is_filtered, const gantry_row_range *ranges, size_t range_count,
                            size_t maximum_postings, gantry_row_score *best, size_t limit, size_t *found,
                            int64_t *frequencies, size_t phrases) {
    search s = {
        .weights = weights, .columns = columns, .is_filtered = is_filtered, .ranges = ranges,
        .range_count = range_count, .maximum_postings = maximum_postings, .best = best, .limit = limit,
        .frequencies = frequencies, .phrases = phrases,
    };
    *found = 0;
    memset(frequencies, 0, phrases * sizeof *frequencies);
    int result = register_function(database);
    if (result != SQLITE_OK) return result;
    s.rows = sqlite3_malloc64(phrases * sizeof *s.rows);
    s.idf = sqlite3_malloc64(phrases * sizeof *s.idf);
    s.occurrences = sqlite3_malloc64(phrases * sizeof *s.occurrences);
    result = SQLITE_NOMEM;
    if (s.rows && s.idf && s.occurrences) {
        memset(s.rows, 0, phrases * sizeof *s.rows);
        result = find_best(&s, database, table, expression);
        drop_postings(&s);
    }
    sqlite3_free(s.rows);
    sqlite3_free(s.idf);
    sqlite3_free(s.occurrences);
    if (result != SQLITE_OK) return result;
    sort(&s);
    *found = s.found;
    return SQLITE_OK;
}
