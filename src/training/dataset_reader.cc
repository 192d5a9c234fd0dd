#include "training/dataset_reader.h"

#include <algorithm>

#include "stores/files.h"

namespace coeval::training {

namespace {

// Every file must cut its rows at the same places, however few columns are read of it: so few rows
// at once that no reader takes still fewer of as many columns. (64 MiB of numbers at once)
std::int64_t rows_at_once(std::size_t columns) {
  constexpr std::int64_t kMost = 1 << 17, kFewest = 1 << 10;
  constexpr std::int64_t kMostCells = 8 << 20;
  std::int64_t rows = kMost;
  while (rows > kFewest && rows * static_cast<std::int64_t>(columns) > kMostCells) rows /= 2;
  return rows;
}

}  // namespace

Result<DatasetReader> DatasetReader::open(const replay::OpenFormat& formats,
                                          const std::string& path,
                                          const std::vector<std::string>& columns) {
  std::vector<StoredColumn> stored;
  if (!path.ends_with(kManifestEnding)) {
    const std::string file = path.substr(path.rfind('/') + 1);
    for (const auto& column : columns) {
      StoredColumn& whole = stored.emplace_back();
      whole.name = whole.as = column;
      whole.file = file;
    }
    return open(formats, stores::folder_of(path), stored);
  }
  COEVAL_ASSIGN(const DatasetFacts facts, read_dataset_facts(path));
  for (const auto& column : columns) {
    const auto found = std::ranges::find(facts.columns, column, &StoredColumn::name);
    if (found == facts.columns.end())
      return fail(Code::unknown_key, "'" + path + "' has no column '" + column + "'",
                  "delete it and build again");
    stored.push_back(*found);
  }
  return open(formats, stores::folder_of(path), stored);
}

Result<DatasetReader> DatasetReader::open(const replay::OpenFormat& formats,
                                          const std::string& folder,
                                          const std::vector<StoredColumn>& columns) {
  DatasetReader made;
  made.schema_.fields.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string path = folder + "/" + columns[i].file;
    auto file = std::ranges::find(made.files_, path, &File::path);
    if (file == made.files_.end()) file = made.files_.insert(file, File{path, {}, {}, nullptr});
    const auto name = std::ranges::find(file->names, columns[i].as);
    file->places.emplace_back(i, name - file->names.begin());
    if (name == file->names.end()) file->names.push_back(columns[i].as);
  }
  stores::ReadOptions options;
  options.batch_rows = rows_at_once(columns.size());
  for (File& file : made.files_) {
    options.columns = file.names;
    COEVAL_ASSIGN(stores::TableFiles * format, formats(file.path));
    COEVAL_ASSIGN(file.reader, format->open(file.path, options));
    for (const auto& [place, in_file] : file.places) {
      made.schema_.fields[place] = file.reader->schema().fields[in_file];
      made.schema_.fields[place].name = columns[place].name;
    }
  }
  return made;
}

Result<data::Batch> DatasetReader::next() {
  data::Batch batch{schema_, std::vector<data::Column>(schema_.fields.size()), 0};
  for (File& file : files_) {
    COEVAL_ASSIGN(const data::Batch part, file.reader->next());
    if (&file == &files_.front()) batch.rows = part.rows;
    if (part.rows != batch.rows)
      return fail(Code::bad_file,
                  "'" + file.path + "' has other rows than '" + files_.front().path +
                      "', beside which it belongs",
                  "delete both and build again");
    if (part.rows == 0) continue;
    for (const auto& [place, in_file] : file.places) batch.columns[place] = part.columns[in_file];
  }
  return batch;
}

}  // namespace coeval::training
