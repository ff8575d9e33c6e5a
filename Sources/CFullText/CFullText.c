#include "CFullText.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

// The constants of FTS5's bm25(), so that both give the same scores.
static const double k1 = 1.2, b = 0.75;
static const char pointer_type[] = "gantry_full_text_search";

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
    int started;
    double average_length;
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

// MARK: Scoring

static int count_row(const Fts5ExtensionApi *api, Fts5Context *context, void *count) {
    (void)api;
    (void)context;
    ++*(int64_t *)count;
    return SQLITE_OK;
}

// In how many rows each phrase occurs, and how long a row is on average.
static int start(search *s, const Fts5ExtensionApi *api, Fts5Context *context, double *idf) {
    sqlite3_int64 rows = 0, tokens = 0;
    int result = api->xRowCount(context, &rows);
    if (result == SQLITE_OK) result = api->xColumnTotalSize(context, -1, &tokens);
    if (result != SQLITE_OK) return result;
    s->average_length = rows > 0 ? (double)tokens / (double)rows : 0;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) {
        result = api->xQueryPhrase(context, (int)phrase, &s->frequencies[phrase], count_row);
        if (result != SQLITE_OK) return result;
        double hits = (double)s->frequencies[phrase];
        idf[phrase] = log(((double)rows - hits + 0.5) / (hits + 0.5));
        if (idf[phrase] <= 0) idf[phrase] = 1e-6;
    }
    s->started = 1;
    return SQLITE_OK;
}

static int is_allowed(search *s, int64_t row) {
    if (!s->is_filtered) return 1;
    // Rows come in ascending order.
    while (s->next_range < s->range_count && s->ranges[s->next_range].last < row) s->next_range++;
    return s->next_range < s->range_count && s->ranges[s->next_range].first <= row;
}

static double score(const double *idf, const double *occurrences, size_t phrases, double relative_length) {
    double sum = 0;
    for (size_t phrase = 0; phrase < phrases; phrase++)
        sum += idf[phrase] * occurrences[phrase] * (k1 + 1) /
               (occurrences[phrase] + k1 * (1 - b + b * relative_length));
    return sum;
}

static int weigh_row(search *s, const Fts5ExtensionApi *api, Fts5Context *context, double *idf, double *occurrences) {
    if (!s->started) {
        int result = start(s, api, context, idf);
        if (result != SQLITE_OK) return result;
    }
    gantry_row_score match = {api->xRowid(context), 0};
    if (!is_allowed(s, match.row)) return SQLITE_OK;
    for (size_t phrase = 0; phrase < s->phrases; phrase++) {
        Fts5PhraseIter iterator;
        int column, offset;
        occurrences[phrase] = 0;
        int result = api->xPhraseFirst(context, (int)phrase, &iterator, &column, &offset);
        if (result != SQLITE_OK) return result;
        for (; column >= 0; api->xPhraseNext(context, &iterator, &column, &offset))
            if ((size_t)column < s->columns) occurrences[phrase] += s->weights[column];
    }
    // However short the row is, it can't have more than this.
    double bound = score(idf, occurrences, s->phrases, 0);
    if (s->found == s->limit && bound <= s->best[0].score) return SQLITE_OK;
    int length = 0;
    int result = api->xColumnSize(context, -1, &length);
    if (result != SQLITE_OK) return result;
    double relative = s->average_length > 0 ? (double)length / s->average_length : 0;
    match.score = score(idf, occurrences, s->phrases, relative);
    offer(s, match);
    return SQLITE_OK;
}

// The auxiliary function of FTS5: called for every row that matches.
static void weigh(const Fts5ExtensionApi *api, Fts5Context *context, sqlite3_context *answer, int count,
                  sqlite3_value **values) {
    search *s = count == 1 ? sqlite3_value_pointer(values[0], pointer_type) : NULL;
    if (!s || (size_t)api->xPhraseCount(context) != s->phrases) {
        sqlite3_result_error(answer, "The expression has another number of phrases.", -1);
        return;
    }
    double *room = api->xGetAuxdata(context, 0);
    if (!room) {
        room = sqlite3_malloc64(2 * s->phrases * sizeof(double));
        int result = room ? api->xSetAuxdata(context, room, sqlite3_free) : SQLITE_NOMEM;
        if (result != SQLITE_OK) {
            sqlite3_result_error_code(answer, result);
            return;
        }
    }
    int result = weigh_row(s, api, context, room, room + s->phrases);
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

int gantry_full_text_search(void *database, const char *table, const char *expression, const double *weights,
                            size_t columns, int is_filtered, const gantry_row_range *ranges, size_t range_count,
                            gantry_row_score *best, size_t limit, size_t *found, int64_t *frequencies, size_t phrases) {
    search s = {
        .weights = weights, .columns = columns, .is_filtered = is_filtered, .ranges = ranges,
        .range_count = range_count, .best = best, .limit = limit, .frequencies = frequencies, .phrases = phrases,
    };
    *found = 0;
    memset(frequencies, 0, phrases * sizeof *frequencies);
    int result = register_function(database);
    if (result != SQLITE_OK) return result;
    char *sql = sqlite3_mprintf("SELECT gantry_weigh(\"%w\", ?) FROM \"%w\" WHERE \"%w\" MATCH ?", table, table, table);
    if (!sql) return SQLITE_NOMEM;
    sqlite3_stmt *statement = NULL;
    result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    sqlite3_free(sql);
    if (result == SQLITE_OK) result = sqlite3_bind_pointer(statement, 1, &s, pointer_type, NULL);
    if (result == SQLITE_OK) result = sqlite3_bind_text(statement, 2, expression, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {}
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE) return result;
    sort(&s);
    *found = s.found;
    return SQLITE_OK;
}
