/*
 * Stands between a region and the system (LD_PRELOAD), for what lies below one folder: writes down every call that changes the folder or syncs
 * it, and lets the n-th of them fail or be the last. Where it is told what to do: see control.ts; what it writes down: records.ts.
 *
 *   RIG_ROOT     the folder, absolute
 *   RIG_CONTROL  a file of PAGE bytes, mapped: orders in, counters out
 *   RIG_LOG      where records are appended; without it none are
 *   RIG_DATA     1: records of writes carry the bytes
 *   RIG_DEAF     a sync of a path with this in it says that it is done, and does nothing. The lie of a negative control.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define FDS 65536
#define HEAD 512

#define SLOW_MS 1000

enum how { NONE, EIO_ONCE, ENOSPC_ONCE, SHORT, KILL, TORN, FULL, SLOW, HANG, READONLY };

/* NOTE: control.ts knows these offsets. */
struct control {
  volatile uint32_t armed, at, how, kind, count, answers, hit, answers_at_hit, hit_kind;
  char unused[28];
  char match[64];
  char hit_path[512];
};

/* NOTE: records.ts knows this layout. Then path, then data. */
struct record {
  uint32_t kind, path_bytes;
  uint64_t ino, offset;
  uint32_t data_bytes, is_folder;
};

struct entry {
  uint64_t ino;
  uint32_t is_folder;
  char path[1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries[FDS];
static struct control *control;
static struct control nobody;
static const char *root;
static size_t root_bytes;
static int log_fd = -1, with_data;
static const char *deaf;
static uint64_t syncs;

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static ssize_t real_writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  return real(fd, parts, count);
}

__attribute__((constructor)) static void begin(void) {
  control = &nobody;
  const char *page = getenv("RIG_CONTROL"), *file = getenv("RIG_LOG"), *data = getenv("RIG_DATA");
  const char *folder = getenv("RIG_ROOT");
  if (page != NULL) {
    int fd = open(page, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) abort();
    close(fd);
  }
  if (file != NULL && (log_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) abort();
  deaf = getenv("RIG_DEAF");
  with_data = data != NULL && *data == '1';
  root_bytes = folder == NULL ? 0 : strlen(folder);
  root = folder;
}

static int is_below(const char *path) {
  return root != NULL && path != NULL && strncmp(path, root, root_bytes) == 0 && (path[root_bytes] == '/' || path[root_bytes] == 0);
}

static struct entry *entry_of(int fd) { return fd >= 0 && fd < FDS ? entries[fd] : NULL; }

static void note(struct record record, const char *path, const void *data) {
  if (log_fd < 0) return;
  int kept = errno; /* the caller's */
  record.path_bytes = path == NULL ? 0 : strlen(path);
  if (data == NULL) record.data_bytes = 0;
  struct iovec parts[3] = {{&record, sizeof record}, {(void *)path, record.path_bytes}, {(void *)data, record.data_bytes}};
  size_t total = sizeof record + record.path_bytes + record.data_bytes;
  /* A record is whole or the rig has no worth. */
  if (real_writev(log_fd, parts, 3) != (ssize_t)total) abort();
  errno = kept;
}

/* Paths that end so; or that have it in them, when it ends with a slash itself. */
static int is_meant(const char *path) {
  size_t match_bytes = strnlen(control->match, sizeof control->match), path_bytes = strlen(path);
  if (match_bytes > 0 && control->match[match_bytes - 1] == '/') return strstr(path, control->match) != NULL;
  return path_bytes >= match_bytes && strcmp(path + path_bytes - match_bytes, control->match) == 0;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a call, under the lock. Returns what is to become of it; does not return from a kill. */
static enum how enter(char kind, const char *path) {
  if (!control->armed) return NONE;
  if (control->kind != 0 && control->kind != (uint32_t)kind) return NONE;
  if (!is_meant(path)) return NONE;
  uint32_t count = control->count + 1;
  control->count = count;
  int takes_space = kind == 'W' || kind == 'C' || kind == 'M' || kind == 'L';
  if (control->how >= FULL ? count < control->at : count != control->at) return NONE;
  if (control->how == FULL && !takes_space) return NONE;
  if (control->how == READONLY && kind == 'S') return NONE;
  if (!control->hit) {
    control->hit_kind = kind;
    control->answers_at_hit = control->answers;
    strncpy(control->hit_path, path, sizeof control->hit_path - 1);
    __sync_synchronize();
    control->hit = 1;
  }
  if (control->how == KILL) die();
  return control->how;
}

static void die_if_torn(enum how how) {
  if (how == TORN) die();
}

/* The error that a call fails with; 0 when it does not. */
static int error_of(enum how how, const char *path) {
  int error = how == EIO_ONCE ? EIO : how == ENOSPC_ONCE || how == FULL ? ENOSPC : how == READONLY ? EROFS : 0;
  if (error != 0) note((struct record){.kind = 'F', .offset = error}, path, NULL);
  return error;
}

/* A disk that takes its time. Not under the lock: the others are not to wait as well. */
static void hold(enum how how) {
  if (how == SLOW) usleep(SLOW_MS * 1000);
  while (how == HANG && control->armed) usleep(1000);
}

static int track(int fd, const char *path) {
  struct stat at;
  if (fd < 0 || fd >= FDS || fstat(fd, &at) != 0) return fd;
  struct entry *entry = malloc(sizeof *entry + strlen(path));
  entry->ino = at.st_ino;
  entry->is_folder = S_ISDIR(at.st_mode);
  strcpy(entry->path, path);
  free(entries[fd]);
  entries[fd] = entry;
  return fd;
}

static int opened(const char *path, int flags, int (*work)(void *), void *call) {
  int is_creating = (flags & O_CREAT) != 0;
  pthread_mutex_lock(&lock);
  enum how how = is_creating ? enter('C', path) : NONE;
  int error = error_of(how, path);
  int is_new = is_creating && access(path, F_OK) != 0;
  int fd = error != 0 ? -1 : track(work(call), path);
  if (error != 0) errno = error;
  struct entry *entry = entry_of(fd);
  if (entry != NULL && is_new) note((struct record){.kind = 'C', .ino = entry->ino}, path, NULL);
  if (entry != NULL && !is_new && (flags & O_TRUNC)) note((struct record){.kind = 'T', .ino = entry->ino}, path, NULL);
  die_if_torn(how);
  pthread_mutex_unlock(&lock);
  return fd;
}

struct open_call {
  int folder, flags;
  const char *path;
  mode_t mode;
};

static int open_now(void *given) {
  struct open_call *call = given;
  REAL(openat);
  return real(call->folder, call->path, call->flags, call->mode);
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list more; \
    va_start(more, flags); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  }

static int open_any(int folder, const char *path, int flags, mode_t mode) {
  struct open_call call = {folder, flags, path, mode};
  return is_below(path) ? opened(path, flags, open_now, &call) : open_now(&call);
}

int open(const char *path, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return open_any(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return open_any(folder, path, flags | O_LARGEFILE, mode); }

static void forget(int fd) {
  if (entry_of(fd) == NULL) return;
  pthread_mutex_lock(&lock);
  free(entries[fd]);
  entries[fd] = NULL;
  pthread_mutex_unlock(&lock);
}

int close(int fd) {
  REAL(close);
  forget(fd);
  return real(fd);
}
/* libuv closes by number. The number of the descriptor would be another file's, or a connection's, before anybody knew. */
long syscall(long number, ...) {
  REAL(syscall);
  va_list more;
  va_start(more, number);
  long a = va_arg(more, long), b = va_arg(more, long), c = va_arg(more, long);
  long d = va_arg(more, long), e = va_arg(more, long), f = va_arg(more, long);
  va_end(more);
  if (number == SYS_close) forget((int)a);
  return real(number, a, b, c, d, e, f);
}

/* An answer to a client is written down before it leaves: what it promises must be true by then. */
static void see_answer(const void *bytes, size_t length) {
  if (length < 12 || memcmp(bytes, "HTTP/1.1 ", 9) != 0 || ((const char *)bytes)[9] == '1') return;
  pthread_mutex_lock(&lock);
  control->answers += 1;
  note((struct record){.kind = 'A', .data_bytes = length < HEAD ? length : HEAD}, NULL, bytes);
  pthread_mutex_unlock(&lock);
}

static ssize_t written(int fd, const struct iovec *parts, int count, off64_t offset, int is_at) {
  REAL(pwritev64);
  pthread_mutex_lock(&lock);
  struct entry *entry = entry_of(fd);
  enum how how = enter('W', entry->path);
  if (how == SLOW || how == HANG) {
    pthread_mutex_unlock(&lock);
    hold(how);
    pthread_mutex_lock(&lock);
  }
  int error = error_of(how, entry->path);
  struct iovec first = parts[0];
  if (how == SHORT || how == TORN) {
    first.iov_len = first.iov_len > 1 ? first.iov_len / 2 : first.iov_len;
    parts = &first;
    count = 1;
  }
  if (!is_at) {
    struct stat now;
    offset = fcntl(fd, F_GETFL) & O_APPEND ? (fstat(fd, &now), now.st_size) : lseek64(fd, 0, SEEK_CUR);
  }
  ssize_t done = error != 0 ? -1 : is_at ? real(fd, parts, count, offset) : real_writev(fd, parts, count);
  if (error != 0) errno = error;
  uint64_t left = done > 0 ? done : 0, at = offset;
  for (int i = 0; left > 0; i++) {
    uint64_t here = parts[i].iov_len < left ? parts[i].iov_len : left;
    note((struct record){.kind = 'W', .ino = entry->ino, .offset = at, .data_bytes = here}, entry->path, with_data ? parts[i].iov_base : NULL);
    at += here;
    left -= here;
  }
  die_if_torn(how);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  if (entry_of(fd) != NULL) return written(fd, &part, 1, 0, 0);
  see_answer(bytes, length);
  REAL(write);
  return real(fd, bytes, length);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (entry_of(fd) != NULL) return written(fd, parts, count, 0, 0);
  if (count > 0) see_answer(parts[0].iov_base, parts[0].iov_len);
  return real_writev(fd, parts, count);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  return entry_of(fd) != NULL ? written(fd, parts, count, offset, 1) : real(fd, parts, count, offset);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  struct iovec part = {(void *)bytes, length};
  return pwritev64(fd, &part, 1, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

/* A sync covers what was written before it began; meanwhile others go on, so the lock is not held. */
static int synced(int fd, int (*real)(int)) {
  if (entry_of(fd) == NULL) return real(fd);
  pthread_mutex_lock(&lock);
  struct entry *entry = entry_of(fd);
  enum how how = enter('S', entry->path);
  int error = error_of(how, entry->path);
  int is_deaf = deaf != NULL && strstr(entry->path, deaf) != NULL;
  uint64_t id = ++syncs;
  struct record record = {.kind = 'S', .ino = entry->ino, .offset = id, .is_folder = entry->is_folder};
  if (error != 0) record.kind = 'X';
  if (!is_deaf) note(record, entry->path, NULL);
  pthread_mutex_unlock(&lock);
  hold(how);
  int result = error != 0 ? -1 : is_deaf ? 0 : real(fd);
  if (error != 0) errno = error;
  if (result == 0 && !is_deaf) {
    record.kind = 'E';
    pthread_mutex_lock(&lock);
    note(record, NULL, NULL);
    pthread_mutex_unlock(&lock);
  }
  die_if_torn(how);
  return result;
}
int fsync(int fd) {
  REAL(fsync);
  return synced(fd, real);
}
int fdatasync(int fd) {
  REAL(fdatasync);
  return synced(fd, real);
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  if (entry_of(fd) == NULL) return real(fd, length);
  pthread_mutex_lock(&lock);
  struct entry *entry = entry_of(fd);
  enum how how = enter('T', entry->path);
  int error = error_of(how, entry->path);
  int result = error != 0 ? -1 : real(fd, length);
  if (error != 0) errno = error;
  if (result == 0) note((struct record){.kind = 'T', .ino = entry->ino, .offset = length}, entry->path, NULL);
  die_if_torn(how);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* What changes names. `to` is the new one of a rename, else NULL. */
static int renamed(char kind, const char *path, const char *to, int result_of(const char *, const char *)) {
  if (!is_below(path) && !is_below(to)) return result_of(path, to);
  pthread_mutex_lock(&lock);
  enum how how = enter(kind, path);
  int error = error_of(how, path);
  int result = error != 0 ? -1 : result_of(path, to);
  if (error != 0) errno = error;
  struct stat at = {0};
  if (result == 0 && kind == 'M') stat(path, &at);
  if (result == 0) note((struct record){.kind = kind, .ino = at.st_ino, .data_bytes = to == NULL ? 0 : strlen(to)}, path, to);
  die_if_torn(how);
  pthread_mutex_unlock(&lock);
  return result;
}

static int rename_now(const char *path, const char *to) {
  REAL(rename);
  return real(path, to);
}
static int unlink_now(const char *path, const char *to) {
  (void)to;
  REAL(unlink);
  return real(path);
}
static int rmdir_now(const char *path, const char *to) {
  (void)to;
  REAL(rmdir);
  return real(path);
}
static int mkdir_now(const char *path, const char *to) {
  (void)to;
  REAL(mkdir);
  return real(path, 0700);
}

static int link_now(const char *path, const char *to) {
  REAL(link);
  return real(path, to);
}
int link(const char *path, const char *to) { return renamed('L', path, to, link_now); }
int rename(const char *path, const char *to) { return renamed('R', path, to, rename_now); }
int unlink(const char *path) { return renamed('U', path, NULL, unlink_now); }
int rmdir(const char *path) { return renamed('D', path, NULL, rmdir_now); }
int unlinkat(int folder, const char *path, int flags) {
  if (is_below(path)) return flags & AT_REMOVEDIR ? rmdir(path) : unlink(path);
  REAL(unlinkat);
  return real(folder, path, flags);
}
int mkdir(const char *path, mode_t mode) {
  if (is_below(path)) return renamed('M', path, NULL, mkdir_now);
  REAL(mkdir);
  return real(path, mode);
}
