#include <algorithm>
#include <string_view>

#include "adapters/http/http_client.h"

namespace coeval::adapters {

namespace {

constexpr std::string_view kSecrets =
    "name and password belong in the environment, where no log shows them";

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
         std::stoi(std::string(text)) >= 1 && std::stoi(std::string(text)) <= 65535;
}

std::unexpected<Error> not_an_address(const std::string& what) {
  return fail(Code::usage, what, "write http://127.0.0.1:5000 or https://host/path");
}

// host, host:port, [address], [address]:port
Status take_authority(std::string_view text, ServerAddress& address) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return not_an_address("an IPv6 address ends with ]");
    address.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (!text.empty() && !text.starts_with(':'))
      return not_an_address("behind an IPv6 address stands a port or nothing");
    port = text.empty() ? text : text.substr(1);
    if (!text.empty() && port.empty()) return not_an_address("the port is missing behind :");
  } else {
    const auto colon = text.find(':');
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
    if (colon != std::string_view::npos && port.empty())
      return not_an_address("the port is missing behind :");
  }
  if (address.host.empty()) return not_an_address("the address names no host");
  if (!port.empty() && !is_port(port))
    return not_an_address("the port is no number from 1 to 65535");
  address.port = !port.empty() ? std::string(port) : address.secure ? "443" : "80";
  return {};
}

}  // namespace

std::string ServerAddress::text() const {
  const bool usual = port == (secure ? "443" : "80");
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return std::string(secure ? "https://" : "http://") + name + (usual ? "" : ":" + port) + path;
}

Result<ServerAddress> parse_address(const std::string& url) {
  ServerAddress address;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    address.secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return not_an_address("a server's address begins with http:// or https://");
  }
  const auto slash = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos)
    return fail(Code::usage, "the address holds a name or a password", std::string(kSecrets));
  if (!is_plain(rest)) return not_an_address("the address holds spaces or other odd characters");
  std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (path.find_first_of("?#") != std::string_view::npos)
    return not_an_address("the address has a part behind ? or #");
  while (path.ends_with('/')) path.remove_suffix(1);
  address.path = path;
  COEVAL_TRY(take_authority(authority, address));
  return address;
}

}  // namespace coeval::adapters
