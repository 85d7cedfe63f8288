/* Stands between a process and its disk: counts what it writes below a directory, and ends it, or fails, at one of
 * these writes. Loaded with LD_PRELOAD into the process under test alone; nothing in the product knows of it.
 *
 *   CRASH_DIR   the directory whose files count; the shared memory of SQLite (-shm) does not, it is never durable
 *   CRASH_LOG   a file elsewhere that gets a line for each counted act
 *   CRASH_AT    the number of the act, from 1
 *   CRASH_HOW   before | after | half (half of the bytes of a write, then the end) | enospc | eio
 *   CRASH_ONCE  for the two errors: that act alone; else it and all after it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum how { NONE, BEFORE, AFTER, HALF, ENOSPC_, EIO_ };

static atomic_long count;
static long at;
static enum how how;
static int once;
static const char *dir;
static size_t dir_len;
static int log_fd = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    real_pwrite = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate64");
    real_rename = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    real_unlink = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    dir = getenv("CRASH_DIR");
    dir_len = dir ? strlen(dir) : 0;
    const char *text = getenv("CRASH_AT");
    at = text ? atol(text) : 0;
    once = getenv("CRASH_ONCE") != NULL;
    text = getenv("CRASH_HOW");
    how = !text                       ? NONE
          : !strcmp(text, "before")   ? BEFORE
          : !strcmp(text, "after")    ? AFTER
          : !strcmp(text, "half")     ? HALF
          : !strcmp(text, "enospc")   ? ENOSPC_
          : !strcmp(text, "eio")      ? EIO_
                                      : NONE;
    text = getenv("CRASH_LOG");
    if (text) log_fd = open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void end(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* The number of this act, where its file counts; else 0. */
static long counted_path(const char *act, const char *path, long bytes) {
    if (!dir || strncmp(path, dir, dir_len) != 0) return 0;
    size_t len = strlen(path);
    if (len > 4 && !strcmp(path + len - 4, "-shm")) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (log_fd >= 0) {
        char line[512];
        int size = snprintf(line, sizeof line, "%ld %s %s %ld\n", number, act, path + dir_len, bytes);
        if (size > 0 && real_write(log_fd, line, (size_t)size) < 0) { /* a log that fails fails alone */ }
    }
    return number;
}

static long counted(const char *act, int fd, long bytes) {
    if (!dir || fd < 0) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return counted_path(act, path, bytes);
}

/* What is done instead of the act; 0 where nothing is. */
static int fails(long number) {
    if (number == 0 || at == 0) return 0;
    if (number == at && how == BEFORE) end();
    int now = once ? number == at : number >= at;
    if (now && how == ENOSPC_) return ENOSPC;
    if (now && how == EIO_) return EIO;
    return 0;
}

static void done(long number) {
    if (number != 0 && number == at && (how == AFTER || how == HALF)) end();
}

static size_t part(long number, size_t size) {
    return number != 0 && number == at && how == HALF ? size / 2 : size;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    long number = counted("write", fd, (long)size);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    ssize_t written = real_write(fd, bytes, part(number, size));
    done(number);
    return written;
}

static ssize_t put(int fd, const void *bytes, size_t size, off_t offset) {
    long number = counted("write", fd, (long)size);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    ssize_t written = real_pwrite(fd, bytes, part(number, size), offset);
    done(number);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return put(fd, bytes, size, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) { return put(fd, bytes, size, offset); }

int fsync(int fd) {
    long number = counted("sync", fd, 0);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    int result = real_fsync(fd);
    done(number);
    return result;
}

int fdatasync(int fd) {
    long number = counted("sync", fd, 0);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    int result = real_fdatasync(fd);
    done(number);
    return result;
}

static int cut(int fd, off_t size) {
    long number = counted("truncate", fd, (long)size);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    int result = real_ftruncate(fd, size);
    done(number);
    return result;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

int rename(const char *from, const char *to) {
    long number = counted_path("rename", to, 0);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    int result = real_rename(from, to);
    done(number);
    return result;
}

int unlink(const char *path) {
    long number = counted_path("unlink", path, 0);
    int error = fails(number);
    if (error) { errno = error; return -1; }
    int result = real_unlink(path);
    done(number);
    return result;
}
