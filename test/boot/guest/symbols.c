#include "guest.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b) {
  const struct symbol *left = a, *right = b;
  int order = strcmp(left->name, right->name);
  if (order != 0) return order;
  return left->address < right->address ? -1 : left->address > right->address;
}

static int by_address(const void *a, const void *b) {
  const struct symbol *left = a, *right = b;
  return left->address < right->address ? -1 : left->address > right->address;
}

static struct symbols read_symbols(void) {
  char *text = read_file("/proc/kallsyms", NULL);
  size_t room = 1 << 16, count = 0;
  struct symbol *rows = malloc(room * sizeof *rows);
  for (char *line = text; *line;) {
    char *end = strchr(line, '\n');
    if (!end) break;
    *end = 0;
    // `ffffffff81000000 T _text`; a module's has its name in brackets behind a tab.
    char *rest;
    uint64_t address = strtoull(line, &rest, 16);
    if (strchr("tTwW", rest[1]) && !strchr(rest, '\t')) {
      if (count == room) rows = realloc(rows, (room *= 2) * sizeof *rows);
      rows[count++] = (struct symbol){address, rest + 3, 1};
    }
    line = end + 1;
  }
  return (struct symbols){rows, count};
}

struct symbols text_names(void) {
  struct symbols all = read_symbols();
  qsort(all.rows, all.count, sizeof *all.rows, by_name);
  size_t kept = 0;
  for (size_t i = 0; i < all.count; i++)
    if (kept > 0 && strcmp(all.rows[kept - 1].name, all.rows[i].name) == 0) all.rows[kept - 1].bearers++;
    else all.rows[kept++] = all.rows[i];
  all.count = kept;
  return all;
}

static int has_name(const void *key, const void *row) {
  return strcmp(key, ((const struct symbol *)row)->name);
}

struct symbol *find_name(struct symbols names, const char *name) {
  return bsearch(name, names.rows, names.count, sizeof *names.rows, has_name);
}

struct symbols text_addresses(void) {
  struct symbols all = read_symbols();
  qsort(all.rows, all.count, sizeof *all.rows, by_address);
  size_t kept = 0;
  for (size_t i = 0; i < all.count; i++)
    if (kept == 0 || all.rows[kept - 1].address != all.rows[i].address) all.rows[kept++] = all.rows[i];
  all.count = kept;
  return all;
}
