#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "serving/connection.h"
#include "serving/http_message.h"
#include "serving/http_server.h"
#include "serving/listener.h"
#include "serving/request_handler.h"
#include "serving/timer_wheel.h"

namespace coeval::serving {

/// The loop behind HttpServer: epoll, rounds, timeouts, draining.
///
/// Invariants. An answer is put into a connection's buffer only after the commit of its round.
/// Answers of a connection leave in the order of its requests. A connection that waits for its peer
/// to read is not read from. Everything but stop() and post() happens on the thread of run().
class Reactor {
 public:
  Reactor(Engine& engine, ServerOptions options);
  ~Reactor();
  Status bind();
  std::uint16_t port() const { return listener_.port; }
  Status run();
  void stop();
  void post(std::function<void()> task);

 private:
  /// What a connection is waiting for, each with its own time limit.
  enum class Waiting : std::uint8_t { request, header, body, peer_reads, peer_closes };
  struct Queued {
    std::uint64_t connection = 0;
    Response response;
    ResponseFraming framing;
    double began_s = 0;
  };

  Status open();
  void wait();
  int wait_limit_ms() const;
  void run_tasks();

  void accept_all();
  void admit(int fd);
  void shed_one();
  void on_event(std::uint64_t id, std::uint32_t events);
  void serve(Connection& connection);
  void answer(Connection& connection, Request request);
  void refuse(Connection& connection, const Error& error);
  void queue(Connection& connection, Response response, ResponseFraming framing);
  void touch(Connection& connection);
  void count_held(Connection& connection);

  void finish_round();
  void write_answer(Queued& queued, const Status& committed);
  void settle(std::uint64_t id);
  void watch(Connection& connection);
  void drop(std::uint64_t id);
  Connection* find(std::uint64_t id);

  Waiting waiting_for(Connection& connection) const;
  double time_limit_s(Waiting waiting) const;
  void set_deadline(Connection& connection, bool progress);
  void on_timer(std::uint64_t id);
  void on_timeout(Connection& connection);

  void begin_drain();
  void end_grace();
  bool drained() const;

  Engine& engine_;
  ServerOptions options_;
  RequestHandler handler_;
  Listener listener_;
  OwnedFd epoll_, wake_, spare_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_id_;
  TimerWheel wheel_;
  double now_s_ = 0;

  std::vector<Queued> round_;  // answers awaiting the commit
  std::size_t round_bytes_ = 0;
  std::vector<std::uint64_t> touched_;  // connections of this round
  std::vector<std::uint64_t> again_;    // with requests left for the next round
  std::size_t held_bytes_ = 0;          // of requests that have not wholly arrived
  std::string date_;
  std::int64_t date_s_ = 0;

  std::atomic<bool> stopping_ = false;
  bool draining_ = false, grace_over_ = false;
  double drain_began_s_ = 0;
  std::mutex tasks_mutex_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace coeval::serving
