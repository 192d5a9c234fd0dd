#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "data/column.h"
#include "quality/profile_summary.h"
#include "stats/reference_bins.h"

namespace coeval::quality {

/// A description of one column that grows with its rows: counts, range, exact moments, quantiles,
/// histogram, distinct and frequent values, lengths and shapes of texts.
///
/// Invariants: 1. State, bytes and summary are a function of the multiset of values: shards merged
/// in any order equal one pass, byte for byte (semantics: A1 A5). 2. Memory is bounded, about 100
/// KB a column (numbers) or 1 MB (texts), whatever comes.
///
/// Up to 4,096 distinct values are held with their counts, and everything is exact. Beyond, of
/// numbers: moments by exponent (exact), counts in 128 bins to each power of two and in at most
/// 2,048 bins of equal width 2^k over the range (k grows with the range; both counts are exact),
/// distinct by HyperLogLog. A quantile is then the middle of what both bins leave of its place.
/// Of texts: lengths and shapes (exact), distinct by HyperLogLog.
///
/// Lists are profiled by their lengths, and their elements together as one more column.
/// Threading: one thread at a time.
class ColumnProfile {
 public:
  explicit ColumnProfile(data::Type type);
  ColumnProfile(ColumnProfile&&) noexcept;
  ColumnProfile& operator=(ColumnProfile&&) noexcept;
  ~ColumnProfile();

  data::Type type() const;
  /// Counts the rows of a column of this type.
  void add(const data::Column& column);
  /// Adds what another profile of this type has seen; not itself.
  void merge(const ColumnProfile& other);

  ColumnSummary summary() const;
  /// Every distinct value with its count, by value; nothing beyond 4,096 distinct values, and of
  /// lists.
  std::optional<std::vector<ProfileValue>> values() const;
  /// The bins for comparing later rows with these (docs/statistics.md, "Drift"), with the counts of
  /// these rows in them. Up to 4,096 distinct values the edges are the quantiles themselves.
  /// Beyond, an edge is the edge of one of the profile's own bins, the one nearest in rank to the
  /// quantile; so the counts are exact in either case, and the bins merely hold a little more or
  /// less than a tenth each. Errors: unsupported for lists and for texts with more than 4,096
  /// distinct values.
  Result<stats::ReferenceBins> reference() const;

  /// Canonical bytes; read_bytes takes them off the front and says whether they are some.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The same of all columns of a schema.
class Profile {
 public:
  Profile() = default;
  explicit Profile(data::Schema schema);

  const data::Schema& schema() const { return schema_; }
  std::int64_t rows() const { return rows_; }
  const std::vector<ColumnProfile>& columns() const { return columns_; }
  /// The column of that name, or null.
  const ColumnProfile* find(std::string_view column) const;

  /// Counts the rows of a batch of this schema (names and types), on the pool's threads where there
  /// is one: a column is one part, so the number of threads changes nothing.
  /// Errors: type_mismatch.
  Status add(const data::Batch& batch, WorkerPool* pool = nullptr);
  /// Not with itself. Errors: type_mismatch when the schemas differ.
  Status merge(const Profile& other);

  ProfileSummary summary() const;

  /// Canonical bytes: equal multisets of rows give equal bytes.
  std::string bytes() const;
  /// Errors: bad_file.
  static Result<Profile> from_bytes(std::string_view bytes);

 private:
  data::Schema schema_;
  std::int64_t rows_ = 0;
  std::vector<ColumnProfile> columns_;
};

/// A profile as a file, which a definition names as `reference`. Writes beside it and renames.
/// Errors: io, disk_full.
Status write_profile(const std::string& path, const Profile& profile);
/// Errors: no_such_file, io, bad_file.
Result<Profile> read_profile(const std::string& path);

}  // namespace coeval::quality
