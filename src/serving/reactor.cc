#include "serving/reactor.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/time.h"
#include "stores/files.h"

namespace coeval::serving {
namespace {

constexpr std::uint64_t kListenerId = 0, kWakeId = 1, kFirstConnectionId = 2;
constexpr std::size_t kReadPerRound = 256u << 10;  // of one connection, so that all get their turn
constexpr std::size_t kMaxUnsent = 1u << 20;       // of one connection, before it is no longer read
constexpr std::size_t kMaxRoundBytes = 64u << 20;  // of answers awaiting one commit
constexpr std::size_t kMaxRefused = 64;            // connections that are being told to come back
constexpr std::size_t kAcceptPerRound = 256;
constexpr std::size_t kSmallRequest = 64u << 10;  // may always be held
constexpr double kLingerS = 1;
constexpr int kCommitCheckMs = 50, kDrainCheckMs = 10;

double tick_for(const ServerOptions& options) {
  const double shortest = std::min(
      {options.header_timeout_s, options.body_timeout_s, options.idle_timeout_s, kLingerS});
  return std::clamp(shortest / 8, 0.005, 0.5);
}

Error too_many_connections(std::uint32_t limit) {
  return {Code::overloaded,
          "the server has " + std::to_string(limit) + " connections, its limit",
          "retry after the time that Retry-After names",
          {},
          {}};
}

}  // namespace

Reactor::Reactor(Engine& engine, ServerOptions options)
    : engine_(engine),
      options_(std::move(options)),
      handler_(engine),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      next_id_(kFirstConnectionId),
      wheel_(tick_for(options_), monotonic_seconds()) {
  handler_.set_max_body_bytes(options_.max_body_bytes);
}

Reactor::~Reactor() = default;

Status Reactor::bind() {
  COEVAL_ASSIGN(listener_, listen_on(options_.address, options_.port));
  const bool ipv6 = options_.address.find(':') != std::string::npos;
  handler_.set_address((ipv6 ? "[" + options_.address + "]" : options_.address) + ":" +
                       std::to_string(listener_.port));
  return open();
}

Status Reactor::open() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  spare_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  epoll_event listen_event{EPOLLIN, {.u64 = kListenerId}}, wake_event{EPOLLIN, {.u64 = kWakeId}};
  if (!epoll_ || !wake_ ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.fd.get(), &listen_event) != 0 ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &wake_event) != 0) {
    return std::unexpected(stores::error_from_errno(errno, "set up the event loop", "epoll"));
  }
  return {};
}

void Reactor::stop() {
  stopping_.store(true);
  ::eventfd_write(wake_.get(), 1);
}

void Reactor::post(std::function<void()> task) {
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
  }
  ::eventfd_write(wake_.get(), 1);
}

void Reactor::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks.swap(tasks_);
  }
  for (const std::function<void()>& task : tasks) task();
}

Status Reactor::run() {
  while (!drained()) {
    wait();
    run_tasks();
    finish_round();
    wheel_.advance(now_s_, [this](std::uint64_t id) { on_timer(id); });
    if (stopping_.load() && !draining_) begin_drain();
    if (draining_ && !grace_over_ && now_s_ >= drain_began_s_ + options_.grace_s) end_grace();
  }
  connections_.clear();
  COEVAL_TRY(engine_.sync());
  return engine_.snapshot_if_due(true);
}

int Reactor::wait_limit_ms() const {
  if (!again_.empty() || !round_.empty() || engine_.snapshot_is_busy()) return 0;
  if (draining_) return kDrainCheckMs;
  if (stopping_.load()) return 0;
  const int tick_ms = connections_.empty() ? -1 : static_cast<int>(wheel_.tick_s() * 1000) + 1;
  if (!engine_.has_uncommitted() && !engine_.snapshot_is_under_way()) return tick_ms;
  return tick_ms < 0 ? kCommitCheckMs : std::min(tick_ms, kCommitCheckMs);
}

void Reactor::wait() {
  std::array<epoll_event, 512> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_limit_ms());
  now_s_ = monotonic_seconds();
  std::vector<std::uint64_t> again;
  again.swap(again_);
  for (const std::uint64_t id : again) {
    if (Connection* connection = find(id)) serve(*connection);
  }
  for (int i = 0; i < count; ++i)
    on_event(events[static_cast<std::size_t>(i)].data.u64,
             events[static_cast<std::size_t>(i)].events);
}

void Reactor::on_event(std::uint64_t id, std::uint32_t events) {
  if (id == kListenerId) return accept_all();
  if (id == kWakeId) {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    return;
  }
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (connection->lingering) {
    if (!connection->discard(kReadPerRound * 16)) drop(id);
    return;
  }
  if ((events & EPOLLOUT) != 0 && !connection->send()) return drop(id);
  const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
  if (readable && !connection->receive(kReadPerRound)) return drop(id);
  serve(*connection);
}

// Accepting.

void Reactor::accept_all() {
  if (!listener_.fd) return;
  for (std::size_t i = 0; i < kAcceptPerRound; ++i) {
    const int fd = accept_one(listener_.fd.get());
    if (fd == -2) shed_one();
    if (fd < 0) return;
    admit(fd);
  }
}

/// Descriptors have run out. One is kept in reserve, so that a waiting client is closed instead of
/// left waiting, with the loop spinning on it.
void Reactor::shed_one() {
  spare_.reset();
  const int fd = accept_one(listener_.fd.get());
  if (fd >= 0) ::close(fd);
  spare_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ++engine_.counters().connections_refused;
}

void Reactor::admit(int fd) {
  const bool refused = connections_.size() >= options_.max_connections;
  if (connections_.size() >= options_.max_connections + kMaxRefused) {
    ++engine_.counters().connections_refused;
    ::close(fd);
    return;
  }
  const std::uint64_t id = next_id_++;
  auto made = std::make_unique<Connection>(
      fd, id, RequestParser::Limits{options_.max_header_bytes, options_.max_body_bytes});
  Connection& connection = *made;
  connections_.emplace(id, std::move(made));
  epoll_event event{0, {.u64 = id}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  ++(refused ? engine_.counters().connections_refused : engine_.counters().connections_accepted);
  if (refused) return refuse(connection, too_many_connections(options_.max_connections));
  // Most clients send at once: saves a turn of the loop.
  if (!connection.receive(kReadPerRound)) return drop(id);
  serve(connection);
}

// Requests.

void Reactor::serve(Connection& connection) {
  touch(connection);
  while (!connection.close_after_send &&
         connection.unsent() + connection.in_round_bytes < kMaxUnsent) {
    if (connection.in_round >= options_.max_pipelined || round_bytes_ >= kMaxRoundBytes) {
      again_.push_back(connection.id());
      break;
    }
    connection.parse();
    RequestParser& parser = connection.parser();
    if (parser.phase() == RequestParser::Phase::failed) {
      refuse(connection, parser.error());
    } else if (parser.phase() == RequestParser::Phase::complete) {
      answer(connection, parser.take());
    } else {
      if (parser.wants_continue())
        queue(connection, Response{.status = 100, .body = {}, .allow = {}}, {});
      break;
    }
  }
  connection.held_back =
      !connection.close_after_send && connection.unsent() + connection.in_round_bytes >= kMaxUnsent;
  count_held(connection);
}

void Reactor::answer(Connection& connection, Request request) {
  ResponseFraming framing;
  // Requests that have come already are answered before the connection is closed.
  framing.keep_alive = request.keep_alive && (!draining_ || connection.has_input());
  framing.http_1_0 = request.http_1_0;
  framing.head = request.method == "HEAD";
  const double began_s = monotonic_seconds();
  queue(connection, handler_.handle(request, draining_), framing);
  round_.back().began_s = began_s;
}

void Reactor::refuse(Connection& connection, const Error& error) {
  touch(connection);
  ResponseFraming framing;
  framing.keep_alive = false;
  queue(connection, error_response(error), framing);
}

void Reactor::queue(Connection& connection, Response response, ResponseFraming framing) {
  round_bytes_ += response.body.size();
  connection.in_round_bytes += response.body.size();
  ++connection.in_round;
  connection.close_after_send |= !framing.keep_alive;
  round_.push_back({connection.id(), std::move(response), framing, monotonic_seconds()});
}

void Reactor::touch(Connection& connection) {
  if (connection.touched) return;
  connection.touched = true;
  touched_.push_back(connection.id());
}

void Reactor::count_held(Connection& connection) {
  held_bytes_ = held_bytes_ - connection.counted + connection.held();
  connection.counted = connection.held();
  if (held_bytes_ <= options_.max_buffered_bytes || connection.counted <= kSmallRequest) return;
  if (connection.close_after_send) return;
  refuse(connection, {Code::overloaded,
                      "the server holds too many unfinished requests",
                      "retry after the time that Retry-After names",
                      {},
                      {}});
}

// The end of a round.

void Reactor::finish_round() {
  const Status committed = engine_.has_uncommitted() ? engine_.commit() : Status();
  now_s_ = monotonic_seconds();
  engine_.counters().connections_open = static_cast<std::int64_t>(connections_.size());
  std::vector<Queued> round;
  round.swap(round_);
  round_bytes_ = 0;
  for (Queued& queued : round) write_answer(queued, committed);
  std::vector<std::uint64_t> touched;
  touched.swap(touched_);
  for (const std::uint64_t id : touched) settle(id);
  // Failures are counted in a metric; the log alone is enough to rebuild the state.
  static_cast<void>(engine_.snapshot_if_due(false));
}

void Reactor::write_answer(Queued& queued, const Status& committed) {
  Connection* connection = find(queued.connection);
  if (connection == nullptr) return;
  if (queued.response.status == 100) {
    connection->out() += "HTTP/1.1 100 Continue\r\n\r\n";
    return;
  }
  Response& response = queued.response;
  if (!committed && response.needs_commit && (response.status < 300 || response.status == 422)) {
    const std::string_view route = response.route;
    response = error_response(committed.error());
    response.route = route;
  }
  engine_.counters().request(response.route, response.status, now_s_ - queued.began_s);
  const std::int64_t second = SystemClock().now_us() / kSecondUs;
  if (second != date_s_) {
    date_s_ = second;
    date_ = http_date(second * kSecondUs);
  }
  queued.framing.date = date_;
  append_response(connection->out(), response, queued.framing);
}

void Reactor::settle(std::uint64_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  connection->touched = false;
  const std::size_t before = connection->unsent();
  if (!connection->send()) return drop(id);
  const bool progress = connection->in_round > 0 || connection->unsent() < before;
  // What has been read already brings no event of its own.
  if (connection->held_back && connection->unsent() < kMaxUnsent) again_.push_back(id);
  connection->held_back = false;
  const bool more = std::ranges::find(again_, id) != again_.end();
  connection->in_round = 0;
  connection->in_round_bytes = 0;
  if (connection->unsent() == 0 && !more) {
    if (connection->ended()) return drop(id);
    if (connection->close_after_send && !connection->lingering) connection->linger();
  }
  set_deadline(*connection, progress);
  watch(*connection);
}

void Reactor::watch(Connection& connection) {
  std::uint32_t wanted = 0;
  if (connection.unsent() > 0) wanted |= EPOLLOUT;
  const bool reading = !connection.close_after_send && connection.unsent() < kMaxUnsent;
  if (connection.lingering || (reading && !connection.ended())) wanted |= EPOLLIN;
  if (wanted == connection.watched) return;
  connection.watched = wanted;
  epoll_event event{wanted, {.u64 = connection.id()}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), &event);
}

void Reactor::drop(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  held_bytes_ -= found->second->counted;
  connections_.erase(found);
}

Connection* Reactor::find(std::uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

// Time limits.

Reactor::Waiting Reactor::waiting_for(Connection& connection) const {
  if (connection.lingering) return Waiting::peer_closes;
  if (connection.unsent() > 0) return Waiting::peer_reads;
  if (connection.parser().phase() == RequestParser::Phase::body) return Waiting::body;
  return connection.has_partial_request() ? Waiting::header : Waiting::request;
}

double Reactor::time_limit_s(Waiting waiting) const {
  switch (waiting) {
    case Waiting::request:
      return options_.idle_timeout_s;
    case Waiting::header:
      return options_.header_timeout_s;
    case Waiting::body:
      return options_.body_timeout_s;
    case Waiting::peer_reads:
      return options_.body_timeout_s;
    case Waiting::peer_closes:
      return kLingerS;
  }
  return 0;
}

/// A limit runs from when the connection began to wait for this; bytes that trickle in do not renew
/// it.
void Reactor::set_deadline(Connection& connection, bool progress) {
  const Waiting waiting = waiting_for(connection);
  const auto kind = static_cast<std::uint8_t>(waiting);
  if (kind == connection.waiting && !progress && connection.deadline_s > 0) return;
  connection.waiting = kind;
  connection.deadline_s = now_s_ + time_limit_s(waiting);
  if (connection.timer_s > 0 && connection.timer_s <= connection.deadline_s) return;
  connection.timer_s = wheel_.schedule(connection.id(), connection.deadline_s);
}

void Reactor::on_timer(std::uint64_t id) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->deadline_s == 0) return;
  if (connection->deadline_s <= now_s_) return on_timeout(*connection);
  // One timer of a connection counts, the soonest; the others were for deadlines that have moved.
  if (connection->timer_s > now_s_ + wheel_.tick_s()) return;
  connection->timer_s = wheel_.schedule(id, connection->deadline_s);
}

void Reactor::on_timeout(Connection& connection) {
  const Waiting waiting = waiting_for(connection);
  if (waiting != Waiting::header && waiting != Waiting::body) return drop(connection.id());
  refuse(connection, {Code::request_timeout,
                      std::string("the ") + (waiting == Waiting::header ? "header" : "body") +
                          " of the request did not arrive in time",
                      "send the request without pauses",
                      {},
                      {}});
}

// Stopping.

void Reactor::begin_drain() {
  draining_ = true;
  drain_began_s_ = now_s_;
}

void Reactor::end_grace() {
  grace_over_ = true;
  accept_all();
  listener_.fd.reset();
  std::vector<std::uint64_t> idle;
  for (const auto& [id, connection] : connections_) {
    if (waiting_for(*connection) == Waiting::request && connection->in_round == 0)
      idle.push_back(id);
  }
  for (const std::uint64_t id : idle) drop(id);
}

bool Reactor::drained() const {
  if (!grace_over_) return false;
  return connections_.empty() || now_s_ >= drain_began_s_ + options_.drain_s;
}

}  // namespace coeval::serving
