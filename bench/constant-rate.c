/*
 * Sends HTTP requests at a constant rate and prints response times as JSON. C, because at the rates in question a generator
 * in JavaScript would be measured instead of the server.
 *
 * A request that cannot go out when it is due, because every connection waits for an answer, goes out later, and its time counts
 * from when it was due: a server that stalls is charged with all the requests that it kept from being sent (the correction for
 * coordinated omission). It sleeps until a request is due or an answer comes. Spinning would show shorter times, as waking up
 * takes some of them, but it takes a processor from the servers: on a machine with two, the longest times are those of waiting for one.
 *
 * constant-rate PORT RATE CONNECTIONS SECONDS WARM_UP_SECONDS <REQUEST; all answers must have the same length.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_REQUEST = 65536, READ_SIZE = 65536, MAX_EVENTS = 256 };
/* Time after the last request was due in which answers still count. */
static const double grace_ms = 2000;

struct client {
  int fd;
  long request;
  long missing;
};

static char request[MAX_REQUEST];
static size_t request_bytes;
static char answer[READ_SIZE];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int open_connection(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int yes = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

/* The time from now to a moment, given in milliseconds from the start. */
static struct timespec pause_until(double due_ms, double started) {
  double ms = started + due_ms - now_ms();
  struct timespec pause = {0, 0};
  if (ms > 0) {
    pause.tv_sec = ms / 1e3;
    pause.tv_nsec = (ms - pause.tv_sec * 1e3) * 1e6;
  }
  return pause;
}

static void send_request(int fd) {
  if (write(fd, request, request_bytes) != (ssize_t)request_bytes) fail("write");
}

/* Bytes of one whole answer: its head and what the head announces. */
static long measure_answer(int fd) {
  struct timeval timeout = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  send_request(fd);
  long taken = 0, whole = 0;
  while (whole == 0 || taken < whole) {
    /* What follows the head need not be kept. */
    ssize_t bytes = whole == 0 ? read(fd, answer + taken, READ_SIZE - 1 - taken) : read(fd, answer, READ_SIZE);
    if (bytes <= 0) fail("no answer");
    taken += bytes;
    if (whole != 0) continue;
    answer[taken] = 0;
    char *end = strstr(answer, "\r\n\r\n");
    char *length = strcasestr(answer, "\r\ncontent-length:");
    if (end != NULL && (length == NULL || length > end)) {
      errno = EPROTO;
      fail("the answer announces no length");
    }
    if (end != NULL) whole = end + 4 - answer + atol(strchr(length, ':') + 1);
  }
  return whole;
}

static int compare(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

/* Nearest rank. */
static double percentile(const double *ascending, long count, double share) {
  if (count == 0) return 0;
  long at = (long)ceil(share * count) - 1;
  return ascending[at < 0 ? 0 : at];
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int port = atoi(argv[1]);
  double rate = atof(argv[2]);
  int connections = atoi(argv[3]);
  long skipped = rate * atof(argv[5]);
  long total = skipped + rate * atof(argv[4]);
  request_bytes = fread(request, 1, MAX_REQUEST, stdin);

  double *times = calloc(total + 1, sizeof *times), *lags = calloc(total + 1, sizeof *lags);
  struct client *clients = calloc(connections, sizeof *clients);
  /* Connections in the order in which they became idle: a ring, so that all are used. */
  int *idle = calloc(connections, sizeof *idle);
  if (!times || !lags || !clients || !idle) fail("memory");
  int first_idle = 0, idle_count = connections;
  int poll = epoll_create1(0);
  long answer_bytes = 0;
  for (int i = 0; i < connections; i++) {
    clients[i].fd = open_connection(port);
    if (i == 0) answer_bytes = measure_answer(clients[i].fd);
    idle[i] = i;
    fcntl(clients[i].fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event) < 0) fail("epoll_ctl");
  }

  /* By default the kernel may be 50 microseconds late. */
  prctl(PR_SET_TIMERSLACK, 1);
  long sent = 0, answered = 0, failures = 0;
  double started = now_ms(), apart = 1000 / rate;
  while (answered < total) {
    double elapsed = now_ms() - started;
    if (elapsed > total * apart + grace_ms) break;
    while (sent < total && sent * apart <= elapsed && idle_count > 0) {
      struct client *client = &clients[idle[first_idle]];
      first_idle = (first_idle + 1) % connections;
      idle_count--;
      lags[sent] = elapsed - sent * apart;
      client->request = sent++;
      client->missing = answer_bytes;
      send_request(client->fd);
    }
    struct epoll_event events[MAX_EVENTS];
    struct timespec pause = pause_until(sent < total && idle_count > 0 ? sent * apart : total * apart + grace_ms, started);
    int count = epoll_pwait2(poll, events, MAX_EVENTS, &pause, NULL);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; i++) {
      int at = events[i].data.u32;
      struct client *client = &clients[at];
      ssize_t bytes = read(client->fd, answer, READ_SIZE);
      if (bytes < 0 && errno == EAGAIN) continue;
      if (bytes <= 0) fail("the server closed a connection");
      /* "HTTP/1.1 2": the digit tells success. */
      if (client->missing == answer_bytes && answer[9] != '2') failures++;
      client->missing -= bytes;
      if (client->missing > 0) continue;
      times[client->request] = now_ms() - started - client->request * apart;
      answered++;
      idle[(first_idle + idle_count++) % connections] = at;
    }
  }

  /* What was not answered has no time, and counts as a failure. */
  failures += total - answered;
  long counted = 0;
  for (long i = skipped; i < total; i++) {
    if (times[i] > 0) times[counted++] = times[i];
  }
  qsort(times, counted, sizeof *times, compare);
  qsort(lags + skipped, total - skipped, sizeof *lags, compare);
  printf("{\"rate\":%.0f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"p999Ms\":%.4f,\"maxMs\":%.4f,\"sendLagP99Ms\":%.4f,\"failures\":%ld}\n",
         rate, percentile(times, counted, 0.5), percentile(times, counted, 0.99), percentile(times, counted, 0.999),
         percentile(times, counted, 1), percentile(lags + skipped, total - skipped, 0.99), failures);
  return 0;
}
