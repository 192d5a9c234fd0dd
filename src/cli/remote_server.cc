#include "cli/remote_server.h"

#include <cstdlib>
#include <string_view>

#include "adapters/http/http_client.h"

namespace coeval::cli {

namespace {

std::string variable(const char* name) {
  const char* value = name == nullptr ? nullptr : std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned block = 0;
    for (std::size_t i = 0; i < 3; ++i)
      block = block << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i <= bytes.size() ? kDigits[block >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string authorization_of(const CredentialNames& names) {
  if (const std::string token = variable(names.token); !token.empty()) return "Bearer " + token;
  const std::string username = variable(names.username);
  if (username.empty()) return {};
  return "Basic " + base64(username + ":" + variable(names.password));
}

bool is_here(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Result<std::unique_ptr<HttpExchange>> open_remote_server(Terminal& terminal, const std::string& url,
                                                         const CredentialNames& names) {
  COEVAL_ASSIGN(const auto address, adapters::parse_address(url));
  adapters::HttpClientOptions options;
  options.authorization = authorization_of(names);
  options.certificates = variable(names.certificates);
  if (!options.authorization.empty() && !address.secure && !is_here(address.host))
    terminal.say("warning: the credentials go to " + address.host +
                 " over a connection that is not encrypted; https would be");
  return adapters::open_http_client(address, options);
}

}  // namespace coeval::cli
