#include "adapters/http/http_client.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <utility>

namespace coeval::adapters {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kChunkBytes = 1u << 16;

// Runs one asynchronous operation to its end: those of tcp_stream have time limits, the others do
// not. `start` gets the handler.
template <class Start>
error_code finish(asio::io_context& io, Start start) {
  error_code outcome;
  start([&outcome](const error_code& ended, auto&&...) { outcome = ended; });
  io.restart();
  io.run();
  return outcome;
}

class HttpClient final : public HttpExchange {
 public:
  HttpClient(ServerAddress address, HttpClientOptions options, asio::ssl::context tls)
      : address_(std::move(address)), options_(std::move(options)), tls_(std::move(tls)) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    try {
      return address_.secure ? send_by_tls(request) : send_plainly(request);
    } catch (const std::exception& failure) {
      return unavailable("cannot ask " + address_.text() + ": " + failure.what());
    }
  }

 private:
  static std::unexpected<Error> unavailable(const std::string& what) {
    return fail(Code::unavailable, what,
                "is the server running at this address? what was sent before is kept there; the "
                "same command goes on from it");
  }
  std::unexpected<Error> broken(const std::string& doing, const error_code& why) const {
    const bool late = why == beast::error::timeout;
    return unavailable("cannot " + doing + " " + address_.text() + ": " +
                       (late ? "no answer in time" : why.message()));
  }

  Status connect(asio::io_context& io, beast::tcp_stream& stream) const {
    tcp::resolver resolver(io);
    tcp::resolver::results_type found;
    const error_code unknown = finish(io, [&](auto done) {
      resolver.async_resolve(address_.host, address_.port,
                             [&found, done](const error_code& ended, auto results) {
                               found = std::move(results);
                               done(ended);
                             });
    });
    if (unknown) return broken("find", unknown);
    stream.expires_after(std::chrono::seconds(options_.connect_s));
    const error_code closed =
        finish(io, [&](auto done) { stream.async_connect(found, std::move(done)); });
    if (closed) return broken("reach", closed);
    return {};
  }

  Result<HttpResponse> send_plainly(const HttpRequest& request) const {
    asio::io_context io;
    beast::tcp_stream stream(io);
    COEVAL_TRY(connect(io, stream));
    return exchange(io, stream, stream, request);
  }

  Result<HttpResponse> send_by_tls(const HttpRequest& request) {
    asio::io_context io;
    asio::ssl::stream<beast::tcp_stream> stream(io, tls_);
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(address_.host));
    if (SSL_set_tlsext_host_name(stream.native_handle(), address_.host.c_str()) != 1)
      return unavailable("cannot name " + address_.host + " to the server");
    COEVAL_TRY(connect(io, stream.next_layer()));
    stream.next_layer().expires_after(std::chrono::seconds(options_.connect_s));
    const error_code refused = finish(io, [&](auto done) {
      stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
    });
    if (refused) return broken("make a secure connection to", refused);
    return exchange(io, stream, stream.next_layer(), request);
  }

  http::request<http::string_body> message_of(const HttpRequest& request) const {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(address_.path + request.target);
    message.version(11);
    const bool usual = address_.port == (address_.secure ? "443" : "80");
    const bool ipv6 = address_.host.find(':') != std::string::npos;
    message.set(http::field::host, (ipv6 ? "[" + address_.host + "]" : address_.host) +
                                       (usual ? "" : ":" + address_.port));
    message.set(http::field::user_agent, "coeval");
    message.set(http::field::accept, "*/*");
    message.set(http::field::connection, "close");
    if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
    if (!options_.authorization.empty())
      message.set(http::field::authorization, options_.authorization);
    message.body() = request.body;
    message.prepare_payload();
    return message;
  }

  // `timed` is the stream below, which has the time limits: each part that moves sets them anew.
  template <class Stream>
  Result<HttpResponse> exchange(asio::io_context& io, Stream& stream, beast::tcp_stream& timed,
                                const HttpRequest& request) const {
    const auto stall = std::chrono::seconds(options_.stall_s);
    auto message = message_of(request);
    http::request_serializer<http::string_body> serializer(message);
    serializer.limit(kChunkBytes);
    error_code unsent;
    while (!serializer.is_done() && !unsent) {
      timed.expires_after(stall);
      unsent = finish(
          io, [&](auto done) { http::async_write_some(stream, serializer, std::move(done)); });
    }
    // A server that refuses a body early answers and closes: that answer says more than the broken
    // pipe.
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(options_.max_response_bytes);
    while (!parser.is_done()) {
      timed.expires_after(stall);
      const error_code unread = finish(
          io, [&](auto done) { http::async_read_some(stream, buffer, parser, std::move(done)); });
      if (!unread) continue;
      if (unsent) return broken("send to", unsent);
      return broken("read the answer of", unread);
    }
    error_code ignored;
    timed.socket().close(ignored);
    return HttpResponse{static_cast<int>(parser.get().result_int()),
                        std::move(parser.get().body())};
  }

  ServerAddress address_;
  HttpClientOptions options_;
  asio::ssl::context tls_;
};

Status trust(asio::ssl::context& tls, const std::string& certificates) {
  error_code failed;
  tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv3 |
                      asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                  failed);
  if (!failed && certificates.empty()) tls.set_default_verify_paths(failed);
  if (!failed && !certificates.empty()) {
    if (!std::filesystem::exists(certificates))
      return fail(Code::no_such_file, "there is no file of certificates '" + certificates + "'");
    tls.load_verify_file(certificates, failed);
  }
  if (failed)
    return fail(Code::bad_file, "cannot read the certificates to trust" +
                                    (certificates.empty() ? "" : " in '" + certificates + "'") +
                                    ": " + failed.message());
  return {};
}

}  // namespace

Result<std::unique_ptr<HttpExchange>> open_http_client(const ServerAddress& address,
                                                       const HttpClientOptions& options) {
  const bool sendable =
      std::ranges::all_of(options.authorization, [](char c) { return c >= ' ' && c < '\x7f'; });
  if (!sendable)
    return fail(Code::usage,
                "the token, name or password holds characters that HTTP cannot carry, such as a "
                "line's end");
  asio::ssl::context tls(asio::ssl::context::tls_client);
  if (address.secure) COEVAL_TRY(trust(tls, options.certificates));
  return std::make_unique<HttpClient>(address, options, std::move(tls));
}

}  // namespace coeval::adapters
