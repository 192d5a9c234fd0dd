#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/http_exchange.h"

namespace coeval::adapters {

/// Where a server is: http://host, https://host:port/path.
struct ServerAddress {
  bool secure = false;
  std::string host;  ///< without the brackets of an IPv6 address
  std::string port;
  std::string path;  ///< "/mlflow", without a slash at its end; empty for the root

  /// As it was written: of this and of errors, nothing is secret.
  std::string text() const;
};

/// Errors: usage: another scheme; a name or password in the address, which would end in logs; a
/// query; characters that no address has. No message repeats a password.
Result<ServerAddress> parse_address(const std::string& url);

struct HttpClientOptions {
  std::string authorization;  ///< value of that field, sent with every request; empty: none
  std::string certificates;   ///< PEM file of the authorities to trust; empty: the system's
  int connect_s = 15;         ///< at most, to find and reach the server
  int stall_s = 120;          ///< at most, without a byte going or coming
  std::size_t max_response_bytes = std::size_t{64} << 20;
};

/// A client of HTTP/1.1, on Boost.Beast; https by OpenSSL, TLS 1.2 or later, the server's
/// certificate and name always verified. Redirects are answers like others. A connection serves one
/// request: an export makes a few dozen, and none has to guess whether it is still alive.
/// Errors: usage for a field that cannot be sent; no_such_file, bad_file for the certificates.
Result<std::unique_ptr<HttpExchange>> open_http_client(const ServerAddress& address,
                                                       const HttpClientOptions& options);

}  // namespace coeval::adapters
