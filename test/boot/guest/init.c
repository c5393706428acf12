// The guest's PID 1: asks the kernel that it runs on, and powers off. /ask has the questions, a line each, an option behind a space.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void vsay(const char *format, va_list arguments) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  printf("kelf: %ld.%01ld ", (long)now.tv_sec, now.tv_nsec / 100000000);
  vprintf(format, arguments);
  printf("\n");
  fflush(stdout);
}

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsay(format, arguments);
  va_end(arguments);
}

/** qemu runs with -no-reboot: a restart ends it, whatever the machine knows of power. */
static void end(void) {
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause();
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("kelf: failed: ");
  vsay(format, arguments);
  va_end(arguments);
  end();
  __builtin_unreachable();
}

char *read_file(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) fail("%s: can't be opened: %s", path, strerror(errno));
  size_t room = 1 << 20, used = 0;
  char *bytes = malloc(room + 1);
  for (ssize_t got; (got = read(fd, bytes + used, room - used)) > 0;) {
    used += got;
    if (used == room) bytes = realloc(bytes, (room *= 2) + 1);
  }
  close(fd);
  bytes[used] = 0;
  if (size) *size = used;
  return bytes;
}

unsigned number(const char *option, unsigned otherwise) {
  return option && *option ? strtoul(option, NULL, 10) : otherwise;
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) fail("%s: %s can't be written: %s", path, text, strerror(errno));
  close(fd);
}

static void mount_at(const char *type, const char *path) {
  mkdir(path, 0755);
  if (mount(type, path, type, 0, NULL) < 0 && errno != EBUSY) fail("%s: can't be mounted: %s", path, strerror(errno));
}

/** The kernel's own files, before anything is asked that might change them. */
static void ask_files(const char *option) {
  (void)option;
  out_file("version", "/proc/version");
  out_file("kallsyms", "/proc/kallsyms");
  out_file("available_filter_functions", "/sys/kernel/tracing/available_filter_functions");
  out_file("kprobe_blacklist", "/sys/kernel/debug/kprobes/blacklist");
  out_file("cmdline", "/proc/cmdline");
  out_file("cpuinfo", "/proc/cpuinfo");
}

/** A program of /run with its arguments: what it writes, and its exit code. */
static void ask_run(const char *option) {
  int ends[2];
  if (pipe(ends) < 0) fail("no pipe: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) {
    char *words[1024], *rest = strdup(option);
    int count = 0;
    while (count < 1023 && (words[count] = strsep(&rest, " "))) count += *words[count] != 0;
    words[count] = NULL;
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    if (chdir("/run") == 0) execv(words[0], words);
    perror(words[0]);
    _exit(127);
  }
  close(ends[1]);
  section("run.output");
  char bytes[65536];
  for (ssize_t got; (got = read(ends[0], bytes, sizeof bytes)) > 0;) out_bytes(bytes, got);
  int status = 0;
  waitpid(child, &status, 0);
  section("run.status");
  out("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static const struct {
  const char *name;
  void (*ask)(const char *option);
} QUESTIONS[] = {
  {"files", ask_files},   {"kprobe", ask_kprobe}, {"kprobe_addr", ask_kprobe_addr}, {"kretprobe", ask_kretprobe}, {"lines", ask_lines},
  {"fentry", ask_fentry}, {"fexit", ask_fexit},   {"fmodret", ask_fmodret},         {"kprobe_multi", ask_kprobe_multi},
  {"run", ask_run},
};

static void ask(char *line) {
  char *option = strchr(line, ' ');
  if (option) *option++ = 0;
  for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++) {
    if (strcmp(QUESTIONS[i].name, line) != 0) continue;
    say("%s", line);
    QUESTIONS[i].ask(option);
    return;
  }
  fail("no question is named %s", line);
}

int main(void) {
  mount_at("proc", "/proc");
  mount_at("sysfs", "/sys");
  mount_at("devtmpfs", "/dev");
  int console = open("/dev/console", O_RDWR);
  if (console >= 0) {
    dup2(console, 1);
    dup2(console, 2);
  }
  mount_at("tracefs", "/sys/kernel/tracing");
  mount_at("debugfs", "/sys/kernel/debug");
  // Kernels before 5.11 charge programs to the locked memory of the user: EPERM once that is used up.
  struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0) fail("RLIMIT_MEMLOCK can't be raised: %s", strerror(errno));
  // Addresses are shown, and refused probes do not go to the serial line.
  put("/proc/sys/kernel/kptr_restrict", "0");
  put("/proc/sys/kernel/printk", "1");
  out_open();
  char *text = read_file("/ask", NULL), *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) ask(line);
  section("done");
  // What is sent section by section (s390x) goes out with the next one.
  section("");
  say("done");
  end();
}
