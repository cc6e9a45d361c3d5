/* The clock of `driven_clock.py`: loaded into a process before the system's library, it replaces what tells the time and
 * what waits. The file named by TEST_CLOCK says what time it is, and may change at any moment.
 *
 * Waits of less than 20 ms last as long as they say: they are Python's own, for the interpreter's lock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL
#define SHORT (20 * 1000000LL)

/* As written by driven_clock.py. `slice` is how long a wait lasts at most until the clock is read again; 0: to its end. */
struct clock_file {
    volatile uint64_t changes; /* odd while it is being written */
    volatile int64_t true_base, base, ahead, slice;
    volatile double speed;
};

static const struct clock_file *file;
static int (*true_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void load(void) {
    const char *name = getenv("TEST_CLOCK");
    int opened = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    true_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (opened < 0) return;
    void *mapped = mmap(NULL, sizeof *file, PROT_READ, MAP_SHARED, opened, 0);
    close(opened);
    if (mapped != MAP_FAILED) file = mapped;
}

static int64_t true_now(clockid_t clock) {
    struct timespec now;
    if (!true_gettime) load();
    true_gettime(clock, &now);
    return now.tv_sec * NS + now.tv_nsec;
}

static struct clock_file state(void) {
    struct clock_file read;
    uint64_t before;
    do {
        before = file->changes;
        __sync_synchronize();
        read = *(struct clock_file *)file;
        __sync_synchronize();
    } while ((before & 1) || before != file->changes);
    return read;
}

static int64_t told(int wall) {
    struct clock_file clock = state();
    double passed = (double)(true_now(CLOCK_MONOTONIC) - clock.true_base) * clock.speed;
    return clock.base + (int64_t)passed + (wall ? clock.ahead : 0);
}

static int is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

static int is_told(clockid_t clock) {
    return is_wall(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

static struct timespec spec(int64_t ns) {
    if (ns < 0) ns = 0;
    return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

/* Return for how many true nanoseconds to wait now until the told moment. */
static int64_t true_wait(int64_t until) {
    struct clock_file clock = state();
    int64_t left = until - told(0);
    if (left > SHORT) left = (int64_t)((double)left / clock.speed);
    if (left < 0) return 0;
    return clock.slice && left > clock.slice ? clock.slice : left;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!true_gettime) load();
    if (!file || !is_told(clock)) return true_gettime(clock, now);
    *now = spec(told(is_wall(clock)));
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec read;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &read);
    *now = (struct timeval){.tv_sec = read.tv_sec, .tv_usec = read.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now) *now = read.tv_sec;
    return read.tv_sec;
}

#define TRUE_ONE(type, name, ...)                                                                                      \
    static type (*real)(__VA_ARGS__);                                                                                  \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static int milliseconds(int64_t ns) { return (int)((ns + 999999) / 1000000); }

int poll(struct pollfd *fds, nfds_t count, int timeout) {
    TRUE_ONE(int, poll, struct pollfd *, nfds_t, int);
    if (!file || timeout <= 0) return real(fds, count, timeout);
    int64_t until = told(0) + timeout * 1000000LL, wait;
    int done;
    do {
        wait = true_wait(until);
        done = real(fds, count, milliseconds(wait));
    } while (done == 0 && true_wait(until) > 0);
    return done;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) {
    TRUE_ONE(int, epoll_wait, int, struct epoll_event *, int, int);
    if (!file || timeout <= 0) return real(epoll, events, most, timeout);
    int64_t until = told(0) + timeout * 1000000LL;
    int done;
    do {
        done = real(epoll, events, most, milliseconds(true_wait(until)));
    } while (done == 0 && true_wait(until) > 0);
    return done;
}

int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other, struct timeval *restrict timeout) {
    TRUE_ONE(int, select, int, fd_set *, fd_set *, fd_set *, struct timeval *);
    if (!file || !timeout || (!timeout->tv_sec && !timeout->tv_usec)) return real(count, in, out, other, timeout);
    int64_t until = told(0) + timeout->tv_sec * NS + timeout->tv_usec * 1000LL;
    fd_set asked[3];
    fd_set *sets[3] = {in, out, other};
    int done;
    for (int i = 0; i < 3; i++)
        if (sets[i]) asked[i] = *sets[i];
    do {
        for (int i = 0; i < 3; i++)
            if (sets[i]) *sets[i] = asked[i];
        int64_t wait = true_wait(until);
        struct timeval now = {.tv_sec = wait / NS, .tv_usec = (wait % NS + 999) / 1000 % 1000000};
        done = real(count, in, out, other, &now);
    } while (done == 0 && true_wait(until) > 0);
    return done;
}

/* Turn an absolute time of this clock into a moment as `told(0)` tells it. */
static int64_t moment(clockid_t clock, const struct timespec *until) {
    return until->tv_sec * NS + until->tv_nsec - (is_wall(clock) ? state().ahead : 0);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *span, struct timespec *left) {
    TRUE_ONE(int, clock_nanosleep, clockid_t, int, const struct timespec *, struct timespec *);
    if (!file || !is_told(clock)) return real(clock, flags, span, left);
    int64_t until = flags & TIMER_ABSTIME ? moment(clock, span) : told(0) + span->tv_sec * NS + span->tv_nsec;
    int done = 0;
    for (int64_t wait; !done && (wait = true_wait(until)) > 0;) {
        struct timespec now = spec(wait);
        done = real(CLOCK_MONOTONIC, 0, &now, NULL);
    }
    if (done && left && !(flags & TIMER_ABSTIME)) *left = spec(until - told(0));
    return done;
}

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until) {
    TRUE_ONE(int, sem_clockwait, sem_t *, clockid_t, const struct timespec *);
    if (!file) return real(semaphore, clock, until);
    int64_t told_until = moment(clock, until);
    int done;
    do {
        struct timespec now = spec(true_now(CLOCK_MONOTONIC) + true_wait(told_until));
        done = real(semaphore, CLOCK_MONOTONIC, &now);
    } while (done && errno == ETIMEDOUT && true_wait(told_until) > 0);
    return done;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    TRUE_ONE(int, sem_timedwait, sem_t *, const struct timespec *);
    return file ? sem_clockwait(semaphore, CLOCK_REALTIME, until) : real(semaphore, until);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) {
        void *found = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        if (!found) found = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
        real = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))found;
    }
    if (!file) return real(condition, mutex, until);
    /* Which clock a condition waits by cannot be asked: it is the one whose time is closer. */
    int64_t wanted = until->tv_sec * NS + until->tv_nsec;
    clockid_t clock = llabs(wanted - told(1)) < llabs(wanted - told(0)) ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    int64_t told_until = moment(clock, until);
    int done;
    do {
        struct timespec now = spec(true_now(clock) + true_wait(told_until));
        done = real(condition, mutex, &now);
    } while (done == ETIMEDOUT && true_wait(told_until) > 0);
    return done;
}
