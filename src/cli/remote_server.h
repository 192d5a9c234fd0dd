#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/http_exchange.h"
#include "cli/terminal.h"

namespace coeval::cli {

/// The environment variables that a kind of server's own clients read credentials from; null: none.
struct CredentialNames {
  const char* token;
  const char* username;
  const char* password;
  const char* certificates;  ///< PEM file of the authorities to trust
};
inline constexpr CredentialNames kMlflow = {"MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME",
                                            "MLFLOW_TRACKING_PASSWORD",
                                            "MLFLOW_TRACKING_SERVER_CERT_PATH"};
inline constexpr CredentialNames kOpenLineage = {"OPENLINEAGE_API_KEY", nullptr, nullptr, nullptr};

/// A client of the server at `url`, with the credentials of the environment: a token as Bearer, or
/// else name and password as Basic. They are never printed; that they go over a connection that is
/// not encrypted, to another machine, is said.
/// Errors: those of parse_address and open_http_client.
Result<std::unique_ptr<HttpExchange>> open_remote_server(Terminal& terminal, const std::string& url,
                                                         const CredentialNames& names);

}  // namespace coeval::cli
