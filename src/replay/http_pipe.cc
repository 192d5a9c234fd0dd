#include "replay/http_pipe.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace coeval::replay {

namespace {

constexpr std::size_t kSendBytes = 1u << 16;
constexpr int kPatienceMs = 30'000;
constexpr std::size_t kMaxHeader = 1u << 16;

std::unexpected<Error> unavailable(const std::string& what) {
  return fail(Code::unavailable, what, "is the server running? start it with coeval serve");
}

struct Address {
  std::string host, port;
};

Result<Address> split(const std::string& url) {
  std::string_view rest = url;
  if (!rest.starts_with("http://"))
    return fail(Code::usage, "not an http:// address: '" + url + "'",
                "write http://127.0.0.1:8080");
  rest.remove_prefix(7);
  while (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  if (rest.empty() || rest.find('/') != std::string_view::npos)
    return fail(Code::usage, "not a server's address: '" + url + "'",
                "write http://127.0.0.1:8080");
  if (colon == std::string_view::npos) return Address{std::string(rest), "80"};
  return Address{std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))};
}

int open_socket(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) return -1;
  int fd = -1;
  for (const addrinfo* one = found; one != nullptr && fd < 0; one = one->ai_next) {
    fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  if (fd >= 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return fd;
}

// The value of a header in a block of lines, or empty.
std::string_view header(std::string_view block, std::string_view wanted) {
  while (!block.empty()) {
    const auto end = block.find("\r\n");
    const std::string_view line = block.substr(0, end);
    if (line.size() > wanted.size() && line[wanted.size()] == ':' &&
        strncasecmp(line.data(), wanted.data(), wanted.size()) == 0) {
      std::string_view value = line.substr(wanted.size() + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      return value;
    }
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 2);
  }
  return {};
}

}  // namespace

Result<HttpPipe> HttpPipe::connect(const std::string& url, std::size_t max_in_flight,
                                   OnAnswer on_answer) {
  COEVAL_ASSIGN(const Address address, split(url));
  const int fd = open_socket(address);
  if (fd < 0) return unavailable("cannot connect to " + url);
  return HttpPipe(fd, address.host, max_in_flight, std::move(on_answer));
}

HttpPipe::HttpPipe(HttpPipe&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      host_(std::move(other.host_)),
      max_in_flight_(other.max_in_flight_),
      on_answer_(std::move(other.on_answer_)),
      out_(std::move(other.out_)),
      in_(std::move(other.in_)),
      sent_(other.sent_),
      in_flight_(other.in_flight_) {}

HttpPipe::~HttpPipe() {
  if (fd_ >= 0) close(fd_);
}

Status HttpPipe::get(std::string_view target) {
  out_.append("GET ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_);
  out_.append("\r\n\r\n");
  return queued();
}

Status HttpPipe::post(std::string_view target, std::string_view body) {
  out_.append("POST ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_);
  out_.append("\r\nContent-Type: application/json\r\nContent-Length: ");
  out_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return queued();
}

Status HttpPipe::queued() {
  ++in_flight_;
  if (out_.size() - sent_ < kSendBytes && in_flight_ < max_in_flight_) return {};
  return pump(max_in_flight_ - 1, false);
}

Status HttpPipe::finish() { return pump(0, true); }

// Sends what is queued and reads what has come until at most `until_in_flight` answers are owed.
Status HttpPipe::pump(std::size_t until_in_flight, bool send_all) {
  while (true) {
    COEVAL_TRY(send_some());
    const bool all_sent = sent_ == out_.size();
    if (in_flight_ <= until_in_flight && (all_sent || !send_all)) return {};
    pollfd waiting{fd_, static_cast<short>(POLLIN | (all_sent ? 0 : POLLOUT)), 0};
    const int ready = poll(&waiting, 1, kPatienceMs);
    if (ready == 0) return unavailable("the server did not answer for 30 s");
    if (ready < 0 && errno != EINTR) return unavailable(std::strerror(errno));
    if ((waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0) COEVAL_TRY(read_some());
  }
}

Status HttpPipe::send_some() {
  while (sent_ < out_.size()) {
    const ssize_t wrote =
        send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return unavailable("the connection broke: " + std::string(std::strerror(errno)));
    sent_ += static_cast<std::size_t>(wrote);
  }
  out_.clear();
  sent_ = 0;
  return {};
}

Status HttpPipe::read_some() {
  char buffer[1u << 16];
  const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {};
  if (got <= 0) return unavailable("the server closed the connection");
  in_.append(buffer, static_cast<std::size_t>(got));
  return take_answers();
}

Status HttpPipe::take_answers() {
  std::size_t at = 0;
  while (true) {
    const std::string_view rest = std::string_view(in_).substr(at);
    const auto end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      if (rest.size() > kMaxHeader) return unavailable("the answer is not HTTP/1.1");
      break;
    }
    HttpAnswer answer;
    std::size_t length = 0;
    const std::string_view head = rest.substr(0, end);
    const std::string_view size = header(head, "Content-Length");
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 12 ||
        std::from_chars(head.data() + 9, head.data() + 12, answer.status).ec != std::errc{} ||
        std::from_chars(size.data(), size.data() + size.size(), length).ec != std::errc{})
      return unavailable("the answer is not HTTP/1.1 with a length");
    if (rest.size() < end + 4 + length) break;
    answer.body = rest.substr(end + 4, length);
    if (in_flight_ > 0) --in_flight_;
    COEVAL_TRY(on_answer_(answer));
    at += end + 4 + length;
  }
  in_.erase(0, at);
  return {};
}

}  // namespace coeval::replay
