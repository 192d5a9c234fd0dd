#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval {

/// The IANA tables as tools/pack_zones.py packs them: TZif files by name. The format is told in
/// zone_tables.cc. Views into the bytes given to open(), which must outlive it.
class ZoneTables {
 public:
  /// Checks the whole directory, so that nothing below can fail; not the TZif files themselves.
  /// Errors: bad_file.
  static Result<ZoneTables> open(std::span<const std::uint8_t> bytes);

  /// The release of the tables, such as "2025b".
  std::string_view version() const { return version_; }
  /// Names ascend by bytes; several may have the same file.
  std::size_t size() const { return zones_.size(); }
  std::string_view name(std::size_t index) const { return zones_[index].name; }
  std::span<const std::uint8_t> file(std::size_t index) const { return zones_[index].file; }
  std::optional<std::size_t> find(std::string_view name) const;

  /// The name that `text` was probably meant to be: "europe/berlin", "Berlin", "New York",
  /// "Europe/Brelin".
  std::optional<std::string_view> nearest(std::string_view text) const;

 private:
  struct Zone {
    std::string_view name;
    std::span<const std::uint8_t> file;
  };

  std::string_view version_;
  std::vector<Zone> zones_;
};

/// The tables that the build put into this program.
std::span<const std::uint8_t> embedded_zone_tables();

}  // namespace coeval
