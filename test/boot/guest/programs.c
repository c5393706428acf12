// BPF programs by bpf(2) alone: loading one tells what the verifier makes of the function, attaching it what the trampoline or fprobe does.
#include "guest.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr) {
  return syscall(SYS_bpf, command, attr, sizeof *attr);
}

/** `return 0`; fmod_ret programs have to. */
static const struct bpf_insn RETURN_0[] = {
  {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
  {.code = BPF_JMP | BPF_EXIT},
};

static char words[4096];

/** A descriptor, or the negative errno; the verifier's words are in `words` then. */
static int load(int type, int attach_type, uint32_t btf_id) {
  union bpf_attr attr = {
    .prog_type = type,
    .expected_attach_type = attach_type,
    .attach_btf_id = btf_id,
    .insns = (uintptr_t)RETURN_0,
    .insn_cnt = 2,
    .license = (uintptr_t) "GPL",
  };
  int fd = bpf(BPF_PROG_LOAD, &attr);
  if (fd >= 0) return fd;
  // Once more for the words: writing them is slow, and most programs load.
  words[0] = 0;
  attr.log_buf = (uintptr_t)words;
  attr.log_size = sizeof words;
  attr.log_level = 1;
  fd = bpf(BPF_PROG_LOAD, &attr);
  return fd >= 0 ? fd : -errno;
}

/** Of the verifier's words those before the summary, in one line. */
static void out_verifier(void) {
  int any = 0;
  for (char *line = strtok(words, "\n"); line; line = strtok(NULL, "\n")) {
    if (strncmp(line, "processed ", 10) == 0 || strncmp(line, "verification time", 17) == 0) continue;
    out("%s%s", any++ ? " | " : "", line);
  }
}

/** The bytes behind a type's first 12 (btf.rst), by kind: so many, and so many for each of its `vlen`. */
static const struct {
  unsigned char fixed, each;
} BEHIND[32] = {
  [BTF_KIND_INT] = {4, 0},       [BTF_KIND_ARRAY] = {12, 0},   [BTF_KIND_STRUCT] = {0, 12},  [BTF_KIND_UNION] = {0, 12},
  [BTF_KIND_ENUM] = {0, 8},      [BTF_KIND_FUNC_PROTO] = {0, 8}, [BTF_KIND_VAR] = {4, 0}, [BTF_KIND_DATASEC] = {0, 12},
  [BTF_KIND_DECL_TAG] = {4, 0}, [BTF_KIND_ENUM64] = {0, 12},
};

/** Attached for every `sample`th FUNC, and for all of a name that several have; 0: for none. */
static void ask_functions(const char *file, int attach_type, unsigned sample) {
  size_t size;
  char *btf = read_file("/sys/kernel/btf/vmlinux", &size);
  struct btf_header *header = (struct btf_header *)btf;
  char *types = btf + header->hdr_len + header->type_off, *end = types + header->type_len;
  const char *strings = btf + header->hdr_len + header->str_off;
  struct symbols names = text_names();
  section(file);
  out("#btf_id\tname\tload_errno\tattach_errno\treason\n");
  uint32_t id = 1, asked = 0;
  for (char *at = types; at < end; id++) {
    struct btf_type *type = (struct btf_type *)at;
    int kind = BTF_INFO_KIND(type->info);
    at += sizeof *type + BEHIND[kind].fixed + BEHIND[kind].each * BTF_INFO_VLEN(type->info);
    if (kind != BTF_KIND_FUNC) continue;
    int program = load(BPF_PROG_TYPE_TRACING, attach_type, id);
    const char *name = strings + type->name_off;
    out("%u\t%s\t%d\t", id, name, program < 0 ? -program : 0);
    struct symbol *symbol = find_name(names, name);
    if (program < 0) {
      out("NA\t");
      out_verifier();
    } else if (sample && (id % sample == 0 || (symbol && symbol->bearers > 1))) {
      union bpf_attr attr = {.raw_tracepoint.prog_fd = program};
      int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
      out("%d\t", link < 0 ? errno : 0);
      if (link >= 0) close(link);
    } else out("NA\t");
    if (program >= 0) close(program);
    out("\n");
    if (++asked % 8000 == 0) say("%s: %u", file, asked);
  }
  free(btf);
}

void ask_fentry(const char *option) {
  ask_functions("fentry.tsv", BPF_TRACE_FENTRY, number(option, 0));
}

void ask_fexit(const char *option) {
  ask_functions("fexit_load.tsv", BPF_TRACE_FEXIT, number(option, 0));
}

void ask_fmodret(const char *option) {
  ask_functions("fmodret_load.tsv", BPF_MODIFY_RETURN, number(option, 0));
}

/** The address that a link's only name led to; 0 where the kernel does not tell (it does since 6.6). */
static uint64_t linked_address(int link) {
  uint64_t address = 0;
  // What struct bpf_link_info is for kprobe.multi, as of 6.6: older headers lack it.
  struct {
    uint32_t type, id, program, unused;
    uint64_t addresses;
    uint32_t count, flags;
    uint64_t behind[28];
  } info = {.addresses = (uintptr_t)&address, .count = 1};
  union bpf_attr attr = {.info = {.bpf_fd = link, .info_len = sizeof info, .info = (uintptr_t)&info}};
  return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 ? 0 : address;
}

void ask_kprobe_multi(const char *option) {
  unsigned sample = number(option, 1);
  struct symbols names = text_names();
  section("kprobe_multi.tsv");
  out("#name\terrno\taddr");
  out_sample(sample);
  // Before 5.18 the program does not load, whatever the name is.
  int program = load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0);
  for (size_t i = 0; i < names.count; i++) {
    if (i % sample != 0 && names.rows[i].bearers == 1) continue;
    const char *name = names.rows[i].name;
    uintptr_t list[] = {(uintptr_t)name};
    union bpf_attr attr = {
      .link_create = {.prog_fd = program, .attach_type = BPF_TRACE_KPROBE_MULTI, .kprobe_multi = {.cnt = 1, .syms = (uintptr_t)list}},
    };
    int link = program < 0 ? (errno = -program, -1) : bpf(BPF_LINK_CREATE, &attr);
    out("%s\t%d\t", name, link < 0 ? errno : 0);
    if (link >= 0) {
      out("%llx", (unsigned long long)linked_address(link));
      close(link);
    }
    out("\n");
    if (program >= 0 && i / sample % 100 == 0) say("kprobe_multi.tsv: %zu of %zu", i, names.count);
  }
  if (program >= 0) close(program);
}
