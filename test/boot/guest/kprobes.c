// Probes through tracefs: `p:gt/eN WHERE` written to kprobe_events registers a kprobe, disabled, after all of the kernel's checks.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing/"

/** Each new event is looked for in the list of all, and each has its folder in tracefs: they are taken away after so many. */
#define BATCH 1000

static void truncate_file(const char *path) {
  int fd = open(path, O_WRONLY | O_TRUNC);
  if (fd < 0) fail("%s: can't be emptied: %s", path, strerror(errno));
  close(fd);
}

static int kmsg = -1;

/** What the kernel has logged since the last call is passed over. */
static void skip_kmsg(void) {
  if (kmsg < 0) kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  lseek(kmsg, 0, SEEK_END);
}

/** The words about the last command that was refused: the last entry of error_log, then what the probes' code logged. */
static void out_words(void) {
  char text[8192], *last = NULL;
  int fd = open(TRACEFS "error_log", O_RDONLY);
  ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[got > 0 ? got : 0] = 0;
  for (char *at = text; (at = strstr(at, ": error: ")); at++) last = at + 9;
  if (last) {
    out("%.*s", (int)strcspn(last, "\n"), last);
    truncate_file(TRACEFS "error_log");
  }
  // Each read gives one record: `4,1203,35113,-;trace_kprobe: Could not probe …`
  while ((got = read(kmsg, text, sizeof text - 1)) > 0) {
    text[got] = 0;
    char *words = strchr(text, ';');
    if (words && strstr(words, "probe")) out("%s%.*s", last ? " | " : "", (int)strcspn(words + 1, "\n"), words + 1);
  }
}

static int open_events(void) {
  int fd = open(TRACEFS "kprobe_events", O_WRONLY | O_APPEND);
  if (fd < 0) fail("kprobe_events can't be opened: %s", strerror(errno));
  return fd;
}

/** Writes a command and says what came of it: errno, words. */
static void command(int events, const char *text) {
  int error = write(events, text, strlen(text)) < 0 ? errno : 0;
  out("\t%d\t", error);
  if (error) out_words();
  out("\n");
}

/** A name that no kernel has: what is said of one. */
static const struct symbol NOWHERE = {0, "kelf_no_such_function", 0};

/** The option says that every so many is asked, and every name of several. */
static void ask_each(const char *file, const char *kind, struct symbols symbols, int addresses, const char *option) {
  unsigned sample = number(option, 1);
  section(file);
  out(addresses ? "#addr\terrno\treason" : "#name\terrno\treason");
  out_sample(sample);
  skip_kmsg();
  int events = open_events();
  size_t asked = 0;
  for (size_t i = 0; i < symbols.count + !addresses; i++) {
    const struct symbol *symbol = i < symbols.count ? &symbols.rows[i] : &NOWHERE;
    if (i < symbols.count && i % sample != 0 && symbol->bearers < 2) continue;
    char text[1024];
    if (addresses) {
      out("%llx", (unsigned long long)symbol->address);
      snprintf(text, sizeof text, "%s:gt/e%zu 0x%llx\n", kind, i, (unsigned long long)symbol->address);
    } else {
      out("%s", symbol->name);
      snprintf(text, sizeof text, "%s:gt/e%zu %s\n", kind, i, symbol->name);
    }
    command(events, text);
    if (++asked % BATCH == 0) {
      truncate_file(TRACEFS "kprobe_events");
      if (asked % (2 * BATCH) == 0) say("%s: %zu of %zu", file, i + 1, symbols.count);
    }
  }
  close(events);
  truncate_file(TRACEFS "kprobe_events");
}

void ask_kprobe(const char *option) {
  ask_each("kprobe.tsv", "p", text_names(), 0, option);
}

void ask_kprobe_addr(const char *option) {
  ask_each("kprobe_addr.tsv", "p", text_addresses(), 1, option);
}

void ask_kretprobe(const char *option) {
  ask_each("kretprobe.tsv", "r", text_names(), 0, option);
}

void ask_lines(const char *option) {
  char *text = read_file("/lines", NULL), *list = NULL;
  size_t listed = 0, written = 0;
  section("lines.tsv");
  out("#line\terrno\treason");
  out_sample(number(option, 1));
  skip_kmsg();
  int events = open_events();
  for (char *line = strtok(text, "\n"), *next; line; line = next) {
    char with_end[4096];
    snprintf(with_end, sizeof with_end, "%s\n", line);
    out("%s", line);
    command(events, with_end);
    next = strtok(NULL, "\n");
    if (++written % BATCH != 0 && next) continue;
    size_t size;
    char *part = read_file("/sys/kernel/debug/kprobes/list", &size);
    list = realloc(list, listed + size);
    memcpy(list + listed, part, size);
    listed += size;
    free(part);
    truncate_file(TRACEFS "kprobe_events");
    if (written % (8 * BATCH) == 0) say("lines.tsv: %zu", written);
  }
  close(events);
  section("lines.list");
  out_bytes(list, listed);
}
