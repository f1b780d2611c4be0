/*
 * Avro to Arrow: many messages of one schema into columns, in one pass and without the interpreter's lock.
 *
 * What to do with a datum is a program that consumers/avro/program.py makes of the schema: a flat list of numbers, one
 * instruction after the other in the order of the datum's bytes. Each value is checked as fastavro would check it,
 * wanted or not. A datum that is in any way unusual is refused and leaves no trace; fastavro then says what it is. So
 * what is taken here is what fastavro takes, with the same values (but for the payload of a NaN), and never the other
 * way round.
 *
 * Memory of the columns belongs to the caller, also after a failure; `waybill_avro_free` gives it back.
 *
 * Sources: Apache Avro specification 1.11, "Binary Encoding"; Apache Arrow columnar format 1.4; RFC 3629 for UTF-8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Avro's and Arrow's numbers are little-endian, and are copied as they are"
#endif

/* Instructions and what follows them; `place` is that of a column, or -1 where the value is read and left. */
enum {
    OP_BOOLEAN,  /* place */
    OP_INT,      /* place             refused beyond 32 bits */
    OP_LONG,     /* place */
    OP_FLOAT,    /* place */
    OP_DOUBLE,   /* place */
    OP_BYTES,    /* place */
    OP_STRING,   /* place */
    OP_ITEMS,    /* place, end        an array or map: the instructions up to OP_NEXT for each item, then `end` */
    OP_NEXT,     /* place, body */
    OP_PRESENT,  /* place             a record stands here; the last that has a place */
    OP_OPTIONAL, /* byte, other, end  null or one type: at `end` behind the byte of null, on behind the other */
    OP_MARK,     /*                   remembers this spot of the datum for `again` */
    OP_RETURN,   /*                   the end of `again` */
    OP_END,      /*                   the datum must be over */
};

enum { KIND_BOOLEAN = 1, KIND_INT, KIND_LONG, KIND_FLOAT, KIND_DOUBLE, KIND_TEXT, KIND_LIST, KIND_RECORD };

enum { HEADER = 5, DEEPEST = 8, FIRST_ITEMS = 1024, BYTES_A_TEXT = 16 };

typedef struct {
    int32_t kind;
    int32_t frame;    /* the frame whose rows are its rows */
    int32_t items;    /* of a list: the frame of its items */
    int32_t padding;
    uint8_t *valid;   /* a bit a row */
    uint8_t *values;  /* values of fixed width, bits, or the bytes of all texts */
    int32_t *offsets; /* of texts and lists: rows + 1 */
    int64_t used;     /* bytes of texts in `values` */
    int64_t capacity; /* bytes that `values` has room for, of texts */
} Column;

/* Columns of one length: the messages are frame 0, the items of each list another. */
typedef struct {
    int64_t rows;
    int64_t capacity;
    int32_t first; /* its columns stand together */
    int32_t count;
} Frame;

typedef struct {
    const int32_t *program;
    Column *columns;
    Frame *frames;
    const uint8_t *marked; /* where OP_MARK was met */
    int exhausted;         /* there is no more memory */
} State;

static int width(int32_t kind)
{
    switch (kind) {
    case KIND_INT:
    case KIND_FLOAT:
        return 4;
    case KIND_LONG:
    case KIND_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

static int has_offsets(int32_t kind) { return kind == KIND_TEXT || kind == KIND_LIST; }

static int64_t bitmap(int64_t rows) { return (rows + 7) / 8; }

/* `block` with room for `size` bytes, those from `filled` on zero; NULL when there is none, and `block` as it was. */
static void *grown(void *block, int64_t filled, int64_t size)
{
    uint8_t *made = realloc(block, (size_t)(size > 0 ? size : 1));
    if (made != NULL && size > filled)
        memset(made + filled, 0, (size_t)(size - filled));
    return made;
}

static int resized(Column *column, int64_t before, int64_t after)
{
    void *made = grown(column->valid, before ? bitmap(before) : 0, bitmap(after));
    if (made == NULL)
        return 0;
    column->valid = made;
    int wide = width(column->kind);
    if (wide || column->kind == KIND_BOOLEAN) {
        int64_t old = wide ? before * wide : bitmap(before), new = wide ? after * wide : bitmap(after);
        made = grown(column->values, old, new);
        if (made == NULL)
            return 0;
        column->values = made;
    }
    if (has_offsets(column->kind)) {
        made = grown(column->offsets, before ? (before + 1) * 4 : 0, (after + 1) * 4);
        if (made == NULL)
            return 0;
        column->offsets = made;
    }
    return 1;
}

static int with_room(State *s, Frame *frame)
{
    if (frame->rows < frame->capacity)
        return 1;
    if (frame->rows >= INT32_MAX)
        return 0;
    int64_t wanted = frame->capacity ? 2 * frame->capacity : FIRST_ITEMS;
    for (int32_t i = frame->first; i < frame->first + frame->count; i++) {
        if (!resized(&s->columns[i], frame->capacity, wanted)) {
            s->exhausted = 1;
            return 0;
        }
    }
    frame->capacity = wanted;
    return 1;
}

static void close_row(State *s, Frame *frame)
{
    int64_t next = frame->rows + 1;
    for (int32_t i = frame->first; i < frame->first + frame->count; i++) {
        Column *column = &s->columns[i];
        if (column->kind == KIND_TEXT)
            column->offsets[next] = (int32_t)column->used;
        else if (column->kind == KIND_LIST)
            column->offsets[next] = (int32_t)s->frames[column->items].rows;
    }
    frame->rows = next;
}

/* Take back everything from row `rows` on, the row under way included. */
static void cut_back(State *s, Frame *frame, int64_t rows)
{
    for (int32_t i = frame->first; i < frame->first + frame->count; i++) {
        Column *column = &s->columns[i];
        for (int64_t row = rows; row <= frame->rows && row < frame->capacity; row++)
            column->valid[row >> 3] &= (uint8_t) ~(1 << (row & 7));
        if (column->kind == KIND_TEXT && column->offsets != NULL)
            column->used = column->offsets[rows];
        else if (column->kind == KIND_LIST && column->offsets != NULL)
            cut_back(s, &s->frames[column->items], column->offsets[rows]);
    }
    frame->rows = rows;
}

/* Reads an Avro long and moves on behind it; 0 where there is none of at most 64 bits. */
static inline int long_of(const uint8_t **from, const uint8_t *end, int64_t *value)
{
    const uint8_t *at = *from;
    if (at < end && *at < 0x80) {
        *value = (int64_t)(*at >> 1) ^ -(int64_t)(*at & 1);
        *from = at + 1;
        return 1;
    }
    uint64_t found = 0;
    for (int shift = 0; shift < 64 && at < end; shift += 7) {
        uint64_t byte = *at++;
        if (shift == 63 && byte > 1)
            return 0;
        found |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = (int64_t)(found >> 1) ^ -(int64_t)(found & 1);
            *from = at;
            return 1;
        }
    }
    return 0;
}

static int is_utf8(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0))
            at += 8;
        if (at == end)
            return 1;
        uint8_t lead = *at++;
        if (lead < 0x80)
            continue;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - at < more)
            return 0;
        /* The second byte's range shuts out forms too long, halves of surrogates and what is beyond U+10FFFF. */
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (*at < low || *at > high)
            return 0;
        for (at++; --more > 0; at++)
            if ((*at & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

static void set_valid(Column *column, int64_t row) { column->valid[row >> 3] |= (uint8_t)(1 << (row & 7)); }

static int text_kept(State *s, Column *column, const uint8_t *from, int64_t length)
{
    int64_t wanted = column->used + length;
    if (wanted > INT32_MAX)
        return 0;
    if (wanted > column->capacity) {
        int64_t room = 2 * column->capacity > wanted ? 2 * column->capacity : wanted + 64;
        uint8_t *made = realloc(column->values, (size_t)room);
        if (made == NULL) {
            s->exhausted = 1;
            return 0;
        }
        column->values = made;
        column->capacity = room;
    }
    if (length > 0) /* of an empty first text there is no memory yet */
        memcpy(column->values + column->used, from, (size_t)length);
    column->used = wanted;
    return 1;
}

/* How many items the next block of an array or map has; 0 at its end. No program is made where an item has no byte. */
static int block_of(const uint8_t **at, const uint8_t *end, int64_t *items)
{
    int64_t bytes;
    if (!long_of(at, end, items))
        return 0;
    if (*items < 0) {
        if (*items < -INT32_MAX || !long_of(at, end, &bytes))
            return 0;
        *items = -*items;
    }
    return *items <= end - *at;
}

/* Run the program from `start` on, on the datum at `at`. 0: the datum is refused, or the memory exhausted. */
static int run(State *s, int32_t start, const uint8_t *at, const uint8_t *end)
{
    /* Local, because any write of a byte could be one to what `s` points to. */
    const int32_t *program = s->program, *p = program + start;
    Column *columns = s->columns;
    Frame *frames = s->frames;
    const int64_t message = frames[0].rows;
    int64_t left[DEEPEST];
    int depth = 0;
    for (;;) {
        int64_t number = 0, row = 0;
        int32_t op = *p;
        Column *column = NULL;
        if (op <= OP_PRESENT && p[1] >= 0) {
            column = &columns[p[1]];
            row = column->frame == 0 ? message : frames[column->frame].rows;
        }
        switch (op) {
        case OP_BOOLEAN:
            if (at == end || *at > 1)
                return 0;
            if (column != NULL) {
                uint8_t bit = (uint8_t)(1 << (row & 7));
                set_valid(column, row);
                column->values[row >> 3] = (uint8_t)((column->values[row >> 3] & ~bit) | (*at ? bit : 0));
            }
            at++;
            p += 2;
            break;
        case OP_INT:
            if (!long_of(&at, end, &number) || number < INT32_MIN || number > INT32_MAX)
                return 0;
            if (column != NULL) {
                set_valid(column, row);
                ((int32_t *)column->values)[row] = (int32_t)number;
            }
            p += 2;
            break;
        case OP_LONG:
            if (!long_of(&at, end, &number))
                return 0;
            if (column != NULL) {
                set_valid(column, row);
                ((int64_t *)column->values)[row] = number;
            }
            p += 2;
            break;
        case OP_FLOAT:
        case OP_DOUBLE: {
            int wide = op == OP_FLOAT ? 4 : 8;
            if (end - at < wide)
                return 0;
            if (column != NULL) {
                set_valid(column, row);
                memcpy(column->values + row * wide, at, (size_t)wide);
            }
            at += wide;
            p += 2;
            break;
        }
        case OP_BYTES:
        case OP_STRING:
            if (!long_of(&at, end, &number) || number < 0 || number > end - at)
                return 0;
            if (op == OP_STRING && !is_utf8(at, at + number))
                return 0;
            if (column != NULL) {
                if (!text_kept(s, column, at, number))
                    return 0;
                set_valid(column, row);
            }
            at += number;
            p += 2;
            break;
        case OP_PRESENT:
            set_valid(column, row);
            p += 2;
            break;
        case OP_ITEMS:
            if (column != NULL)
                set_valid(column, row);
            if (!block_of(&at, end, &number))
                return 0;
            if (number == 0) {
                p = program + p[2];
                break;
            }
            if (depth == DEEPEST || (column != NULL && !with_room(s, &frames[column->items])))
                return 0;
            left[depth++] = number;
            p += 3;
            break;
        case OP_NEXT:
            if (column != NULL)
                close_row(s, &frames[column->items]);
            if (--left[depth - 1] == 0 && !block_of(&at, end, &left[depth - 1]))
                return 0;
            if (left[depth - 1] == 0) {
                depth--;
                p += 3;
                break;
            }
            if (column != NULL && !with_room(s, &frames[column->items]))
                return 0;
            p = program + p[2];
            break;
        case OP_OPTIONAL:
            if (at == end)
                return 0;
            if (*at == p[1])
                p = program + p[3];
            else if (*at == p[2])
                p += 4;
            else
                return 0;
            at++;
            break;
        case OP_MARK:
            s->marked = at;
            p += 1;
            break;
        case OP_RETURN:
            return 1;
        case OP_END:
            return at == end;
        default:
            return 0;
        }
    }
}

static int is_valid(const Column *column, int64_t row) { return column->valid[row >> 3] >> (row & 7) & 1; }

/* Whether the row under way is a delete, told by its operation. */
static int deletes(const Column *operation, int64_t row)
{
    int64_t start = operation->offsets[row];
    return is_valid(operation, row) && operation->used - start == 1 && operation->values[start] == 'd';
}

/*
 * Decode `count` messages that lie in `data` one behind the other, `lengths` bytes each, their header included.
 *
 * `refused[i]` becomes 1 for a message that was not taken. `again` is where a second program starts, for the image
 * before of a delete, 0 for none: it is run at the mark when the text in column `operation` is "d"; column `after`
 * tells whether the image after is there. Columns come with their kinds and frames, all else zero, frames with their
 * columns. Returns the number of messages taken, -1 when memory is exhausted.
 */
int64_t waybill_avro_decode(
    const int32_t *program, int32_t again, int32_t operation, int32_t after, const uint8_t *data,
    const int64_t *lengths, int64_t count, Column *columns, int32_t columns_in_all, Frame *frames, uint8_t *refused)
{
    State s = {.program = program, .columns = columns, .frames = frames};
    Frame *rows = &frames[0];
    for (int32_t i = 0; i < columns_in_all; i++) {
        Column *column = &columns[i];
        if (column->frame == 0 && !resized(column, 0, count > 0 ? count : 1))
            return -1;
        if (column->frame == 0 && column->kind == KIND_TEXT) {
            column->capacity = BYTES_A_TEXT * count + 64;
            column->values = malloc((size_t)column->capacity);
            if (column->values == NULL)
                return -1;
        }
    }
    rows->capacity = count;
    for (int64_t i = 0; i < count; data += lengths[i++]) {
        int64_t row = rows->rows;
        int taken = 0;
        const uint8_t *end = data + lengths[i];
        s.marked = NULL;
        if (lengths[i] >= HEADER)
            taken = run(&s, 0, data + HEADER, end);
        if (taken && again && deletes(&columns[operation], row))
            taken = s.marked != NULL && !is_valid(&columns[after], row) && run(&s, again, s.marked, end);
        if (s.exhausted)
            return -1;
        refused[i] = !taken;
        if (taken)
            close_row(&s, rows);
        else
            cut_back(&s, rows, row);
    }
    return rows->rows;
}

void waybill_avro_free(void *block) { free(block); }
