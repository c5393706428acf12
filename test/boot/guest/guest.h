// What the parts of the guest's PID 1 share: see init.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

// out.c: what the guest says, in memory that it shares with the host.

/** Finds the shared memory, or ends. */
void out_open(void);
/** Begins a section: what follows goes to a file of this name. */
void section(const char *name);
void out(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Ends the line of a file's titles; where only one in so many was asked, that is said in it. */
void out_sample(unsigned sample);
void out_bytes(const void *bytes, size_t count);
/** A file of the kernel's, whole. */
void out_file(const char *name, const char *path);

/** A line on the console, with the seconds since the kernel started; the host passes it on. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Says what went wrong, and powers off. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/** A whole file with a 0 behind it; fails where it can't be read. */
char *read_file(const char *path, size_t *size);

// symbols.c: the text symbols of /proc/kallsyms, modules' left out.

struct symbol {
  uint64_t address;
  const char *name;
  /** How many text symbols bear the name; of text_names() alone. */
  unsigned bearers;
};

struct symbols {
  struct symbol *rows;
  size_t count;
};

/** One row for each name, in the order of the names: the lowest address that bears it. */
struct symbols text_names(void);
/** One row for each address, in their order. */
struct symbols text_addresses(void);
/** The row of a name, or NULL. */
struct symbol *find_name(struct symbols names, const char *name);

/** The number that an option is, or the other. */
unsigned number(const char *option, unsigned otherwise);

// The questions; the option after the name is what stands behind it in /ask.

/** kprobes.c: a probe on every name, or every address; or on one in so many, and on all of a name that several have. */
void ask_kprobe(const char *option);
void ask_kprobe_addr(const char *option);
void ask_kretprobe(const char *option);
/** kprobes.c: every line of /lines into kprobe_events, and the kernel's list of the probes. */
void ask_lines(const char *option);
/** programs.c: a BPF program for every FUNC of the BTF. */
void ask_fentry(const char *option);
void ask_fexit(const char *option);
void ask_fmodret(const char *option);
/** programs.c: a link for every name. */
void ask_kprobe_multi(const char *option);
