// The server over a loopback socket, with the example's model of 41 inputs (36 of them window
// features), a log on disk, and a state of many flights. Prints questions a second pipelined on one
// connection, with the CPU time that the server's one thread spent on each; the round trip of
// questions asked one at a time; and events a second, each acknowledged after fsync, alone and
// pipelined. Trees are stumps: forest_bench measures the forest.
//
//   serving_bench [questions]
//
// With `batches`: events a second in batches of so many a request, as NDJSON and as an array, alone
// and with an Idempotency-Key each, all acknowledged after fsync, two requests in flight at a time;
// the bodies are made beforehand. And what one row costs before the log: reading, rules.
//
//   serving_bench batches [events a request] [requests]

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/time.h"
#include "quality/checks.h"
#include "serving/event_rows.h"
#include "serving/http_server.h"
#include "serving/small_model_for_tests.h"

namespace {

using namespace coeval;

constexpr int kAirports = 229;
constexpr int kEvents = 200'000;
constexpr std::int64_t kStart = 991'353'600'000'000;  // 2001-06-01

constexpr std::int64_t kBatchesFrom = kStart + kEvents * 4 * kSecondUs;
constexpr std::int64_t kBatchStepUs = 10'000;  // from one event to the next

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "serving_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) give_up(one_line(result.error()));
  return std::move(*result);
}

std::string airport(std::uint64_t code) {
  return {static_cast<char>('A' + code / 26), static_cast<char>('A' + code % 26), 'X'};
}

serving::LoadedModel stumps(const define::Model& model) {
  std::vector<std::string> airports;
  for (std::uint64_t i = 0; i < kAirports; ++i) airports.push_back(airport(i));
  return need(
      serving::testing::stump_model(model, serving::testing::many_stumps(model, 150), airports));
}

std::string random_event(std::mt19937_64& random, std::int64_t at_us) {
  return R"({"date":")" + format_time(at_us) + R"(","origin":")" + airport(random() % kAirports) +
         R"(","destination":")" + airport(random() % kAirports) + R"(","distance":)" +
         std::to_string(random() % 2500) + R"(,"delay":)" + std::to_string(random() % 90) + "}";
}

std::string random_question(std::mt19937_64& random) {
  return R"({"origin":")" + airport(random() % kAirports) + R"(","destination":")" +
         airport(random() % kAirports) + R"(","distance":)" + std::to_string(random() % 2500) + "}";
}

std::string request(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      give_up("cannot connect");
  }
  ~Connection() { ::close(fd_); }

  /// Sends requests and waits for as many answers, which must be 200.
  void exchange(const std::string& requests, int count) {
    for (std::size_t sent = 0; sent < requests.size();) {
      const ssize_t put = ::send(fd_, requests.data() + sent, requests.size() - sent, 0);
      if (put <= 0) give_up("send");
      sent += static_cast<std::size_t>(put);
    }
    while (count > 0) {
      char block[65536];
      const ssize_t got = ::recv(fd_, block, sizeof block, 0);
      if (got <= 0) give_up("the server closed the connection");
      in_.append(block, static_cast<std::size_t>(got));
      for (std::size_t end; (end = in_.find("\r\n\r\n")) != std::string::npos; --count) {
        const std::size_t length = in_.find("Content-Length: ");
        const std::size_t whole = end + 4 + std::strtoul(in_.c_str() + length + 16, nullptr, 10);
        if (in_.size() < whole) break;
        if (in_.compare(9, 3, "200") != 0) give_up(in_.substr(0, whole));
        in_.erase(0, whole);
      }
    }
  }

 private:
  int fd_;
  std::string in_;
};

std::string batch_body(std::mt19937_64& random, int rows, bool lines, std::int64_t at_us) {
  std::string body = lines ? "" : "[";
  for (int i = 0; i < rows; ++i) {
    if (i > 0) body += lines ? "\n" : ",";
    body += random_event(random, at_us + i * kBatchStepUs);
  }
  return body + (lines ? "\n" : "]");
}

std::string keyed_request(const std::string& target, const std::string& body, int key) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(body.size()) +
         (key < 0 ? "" : "\r\nIdempotency-Key: \"" + std::to_string(key) + "\"") + "\r\n\r\n" +
         body;
}

struct Rate {
  double per_second = 0, server_us = 0;
};

/// Runs `total` requests in bursts of `burst`. `server` is the CPU clock of the server's thread.
template <class Make>
Rate measure(Connection& connection, int total, int burst, clockid_t server, Make make) {
  const auto cpu = [&] {
    timespec t{};
    clock_gettime(server, &t);
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
  };
  const double began_us = cpu(), began_s = monotonic_seconds();
  for (int sent = 0; sent < total; sent += burst) {
    std::string requests;
    for (int i = 0; i < burst; ++i) requests += make();
    connection.exchange(requests, burst);
  }
  return {total / (monotonic_seconds() - began_s), (cpu() - began_us) / total};
}

}  // namespace

namespace {

// What one event costs before the log: its text read into columns, and the rules of its source.
void measure_one_row(const define::Source& source) {
  constexpr int kRounds = 200'000;
  std::mt19937_64 random(3);
  const std::string body = random_event(random, kBatchesFrom);
  const auto checks = need(quality::RowChecks::compile(source));
  const auto time_of = [](const char* what, auto&& once) {
    const double began_s = monotonic_seconds();
    for (int i = 0; i < kRounds; ++i) once();
    std::printf("one event, %-28s %7.3f us\n", what,
                (monotonic_seconds() - began_s) / kRounds * 1e6);
  };
  const serving::EventRows rows = need(serving::read_event_rows(body, source));
  time_of("read", [&] { static_cast<void>(need(serving::read_event_rows(body, source)).rows); });
  time_of("checked", [&] {
    if (!checks->check(rows.typed).empty()) give_up("the event breaks a rule");
  });
}

void measure_batches(Connection& connection, int rows, int requests, clockid_t server) {
  constexpr int kWarm = 8;
  std::mt19937_64 random(7);
  std::int64_t at_us = kBatchesFrom;
  int next_key = 0;
  for (const bool keyed : {false, true}) {
    for (const bool lines : {true, false}) {
      std::vector<std::string> made;
      for (int i = 0; i < requests + kWarm; ++i, at_us += rows * kBatchStepUs)
        made.push_back(keyed_request("/v1/events/flights", batch_body(random, rows, lines, at_us),
                                     keyed ? next_key++ : -1));
      std::size_t next = 0;
      const auto make = [&] { return std::move(made[next++]); };
      measure(connection, kWarm, 2, server, make);
      const Rate rate = measure(connection, requests, 2, server, make);
      std::printf("events, %d a request, %s%s: %9.0f /s  %7.3f us of the server's CPU each\n", rows,
                  lines ? "NDJSON" : "array", keyed ? ", key" : "", rate.per_second * rows,
                  rate.server_us / rows);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool batches = argc > 1 && std::string(argv[1]) == "batches";
  const int batch_rows = batches && argc > 2 ? std::atoi(argv[2]) : 1000;
  const int total =
      batches ? (argc > 3 ? std::atoi(argv[3]) : 200) : (argc > 1 ? std::atoi(argv[1]) : 100'000);
  define::Checked checked =
      define::check_file(std::string(COEVAL_SOURCE_DIR) + "/examples/flights/coeval.toml");
  if (!checked.project) give_up("the example does not check");
  const auto project = std::make_shared<const define::Project>(std::move(*checked.project));
  std::vector<int> views;
  for (std::size_t i = 0; i < project->views.size(); ++i) views.push_back(static_cast<int>(i));
  std::string folder = (std::filesystem::temp_directory_path() / "serving-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) give_up("no temporary folder");

  auto clock = std::make_unique<ManualClock>(kStart);
  ManualClock& time = *clock;
  serving::Engine engine(project, need(kernel::Kernel::create(project, views)),
                         need(stores::open_log(folder + "/log")), std::move(clock), folder, {});
  if (!engine.prepare()) give_up("prepare");
  engine.set_models({{"late", stumps(*project->find_model("late"))}});

  std::mt19937_64 random(1);
  for (int i = 0; i < kEvents; i += 1000) {
    std::string rows = "[";
    for (int k = 0; k < 1000; ++k) {
      rows += (k > 0 ? "," : "") + random_event(random, kStart + (i + k) * 4 * kSecondUs);
    }
    time.set(kStart + i * 4 * kSecondUs);
    if (engine.events("flights", rows + "]", {}).status != 200) give_up("events");
  }
  time.set(kBatchesFrom +
           (batches ? std::int64_t{4} * (total + 10) * batch_rows * kBatchStepUs : 0));

  serving::HttpServer server(engine, {.port = 0});
  if (const Status bound = server.bind(); !bound) give_up(one_line(bound.error()));
  std::thread thread([&] { static_cast<void>(server.run()); });
  clockid_t cpu{};
  pthread_getcpuclockid(thread.native_handle(), &cpu);
  if (batches) {
    Connection connection(server.port());
    measure_one_row(project->sources[0]);
    measure_batches(connection, batch_rows, total, cpu);
  } else {
    Connection connection(server.port());
    const auto question = [&] { return request("/v1/predict/late", random_question(random)); };
    const auto event = [&] {
      return request("/v1/events/flights", random_event(random, kStart + kEvents * 4 * kSecondUs));
    };
    const auto show = [](const char* what, Rate rate) {
      std::printf("%-42s %9.0f /s  %7.1f us of the server's CPU each\n", what, rate.per_second,
                  rate.server_us);
    };
    measure(connection, 10'000, 64, cpu, question);  // warm
    show("questions, 64 pipelined", measure(connection, total, 64, cpu, question));
    show("questions, one at a time", measure(connection, total / 4, 1, cpu, question));
    show("events, fsync, 64 pipelined", measure(connection, total / 4, 64, cpu, event));
    show("events, fsync, one at a time", measure(connection, 2'000, 1, cpu, event));
  }
  server.stop();
  thread.join();
  std::filesystem::remove_all(folder);
  return 0;
}
