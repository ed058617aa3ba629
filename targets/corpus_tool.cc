// SPDX-License-Identifier: Apache-2.0
// Folders of inputs, for ./lastput corpus.
//
//   corpus_tool gather TARGET TO PATH...   copies what is an input in these files and folders, wherever it comes from,
//                                          to TO/SHA1; a program as text becomes bytes. Says how many, and on stderr
//                                          what was no input, and why
//   corpus_tool show TARGET FOLDER...      a line "inputs N bytes N median N largest N", and one "operation NAME N" for each
//                                          operation of the target: how many inputs hold it
//
// Files are taken in the order of their names. Hidden files and folders are passed over, and so are the notes that
// engines leave beside inputs. Exit codes: 0; 1 usage, a path that is not there, or no input; 2 cannot write.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "targets/artifact.h"
#include "targets/codec.h"
#include "targets/sha1.h"
#include "targets/text.h"

namespace targets {
namespace {

namespace fs = std::filesystem;

constexpr int kUsage = 1;
constexpr int kBroken = 2;
constexpr uintmax_t kMaxInputBytes = 1 << 20;  // as AFL++ and libFuzzer have it
constexpr size_t kMaxTold = 10;                // files that are no inputs, one by one

int complain(const std::string& message, int code) {
  std::fprintf(stderr, "corpus_tool: %s\n", message.c_str());
  return code;
}

// What AFL++ and our targets write beside inputs.
bool is_note(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const char* note : {"README.txt", "cmdline", "fuzz_bitmap", "fuzzer_setup", "fuzzer_stats",
                           "plot_data", "target_hash", "is_main_node"})
    if (name == note) return true;
  return name.starts_with('.') || path.extension() == ".json";
}

// False: `path` is not there, or cannot be read.
bool list_files(const fs::path& path, std::vector<fs::path>* files) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    files->push_back(path);
    return fs::exists(path, error);
  }
  fs::recursive_directory_iterator at(path, error), end;
  for (; !error && at != end; at.increment(error)) {
    if (at->is_directory() && at->path().filename().string().starts_with('.'))
      at.disable_recursion_pending();
    else if (!at->is_directory() && !is_note(at->path()))
      files->push_back(at->path());
  }
  std::sort(files->begin(), files->end());
  return !error;
}

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What is wrong with it, or nothing: then *input is what a fuzz target reads, and *program what that means.
std::string read_input(const fs::path& path, const KindInfo& info, std::string* input,
                       Program* program) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return "no regular file";
  if (fs::file_size(path, error) > kMaxInputBytes) return "larger than an input can be";
  std::string problem;
  if (!read_file(path.string(), input, &problem)) return problem;
  if (looks_like_text(*input)) {
    Artifact artifact;
    ParseError place;
    if (!parse(*input, &artifact, &place)) return place.to_string();
    if (artifact.target != info.name) return "it is for target " + artifact.target;
    const std::vector<uint8_t> bytes = encode(artifact.program);
    input->assign(bytes.begin(), bytes.end());
  }
  Decoded decoded = decode(bytes_of(*input), info.kind);
  if (decoded.unknown_version) return "no input: of no version that is known here";
  *program = std::move(decoded.program);
  return "";
}

int gather(const KindInfo& info, const std::string& to, const std::vector<fs::path>& files) {
  size_t taken = 0, told = 0;
  for (const fs::path& file : files) {
    std::string input, error;
    Program program;
    if (const std::string why = read_input(file, info, &input, &program); !why.empty()) {
      if (++told <= kMaxTold)
        std::fprintf(stderr, "  not taken: %s: %s\n", file.c_str(), why.c_str());
      continue;
    }
    if (!write_file(to + "/" + sha1_hex(bytes_of(input)), input, &error))
      return complain(error, kBroken);
    ++taken;
  }
  if (told > kMaxTold) std::fprintf(stderr, "  and %zu more\n", told - kMaxTold);
  std::printf("%zu of %zu files are inputs of %s\n", taken, files.size(), info.name);
  return taken == 0 ? kUsage : 0;
}

// Whether a program of the target may hold it.
bool is_operation_of(const OpInfo& op, const KindInfo& info) {
  const auto lacks = [&](uint32_t needs, unsigned parts) {
    return (op.needs & needs) != 0 && (info.parts & parts) != parts;
  };
  if (info.kind == Kind::kSequential && (op.needs & kSequentialOnly)) return true;
  return !lacks(kRef, kPartRefs) && !lacks(kManager, kPartManager) && !lacks(kPool, kPartPools) &&
         !lacks(kList | kRcu, kPartLists) && !lacks(kJoined, kPartRefs | kPartPools | kPartLists) &&
         !((op.needs & kAllocates) && (info.parts & ~kPartRefs) == 0) &&
         !(op.needs & kSequentialOnly);
}

int show(const KindInfo& info, const std::vector<fs::path>& files) {
  std::array<size_t, kOperationNumbers> inputs_with{};
  std::vector<size_t> sizes;
  size_t bytes = 0;
  for (const fs::path& file : files) {
    std::string input;
    Program program;
    if (!read_input(file, info, &input, &program).empty()) continue;
    sizes.push_back(input.size());
    bytes += input.size();
    std::array<bool, kOperationNumbers> held{};
    for (const auto& thread : program.threads)
      for (const Operation& op : thread) held[static_cast<size_t>(op.code)] = true;
    for (size_t i = 0; i < held.size(); ++i) inputs_with[i] += held[i];
  }
  std::sort(sizes.begin(), sizes.end());
  std::printf("inputs %zu bytes %zu median %zu largest %zu\n", sizes.size(), bytes,
              sizes.empty() ? 0 : sizes[sizes.size() / 2], sizes.empty() ? 0 : sizes.back());
  for (unsigned number = 0; number < kOperationNumbers; ++number)
    if (const OpInfo* op = find_operation(number); op != nullptr && is_operation_of(*op, info))
      std::printf("operation %s %zu\n", op->name, inputs_with[number]);
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words[0];
  const size_t first_path = command == "gather" ? 3 : 2;
  if ((command != "gather" && command != "show") || words.size() <= first_path)
    return complain("wants: gather TARGET TO PATH... | show TARGET FOLDER...", kUsage);
  const KindInfo* info = find_kind(words[1]);
  if (info == nullptr) return complain("no target is named '" + words[1] + "'", kUsage);
  std::vector<fs::path> files;
  for (size_t i = first_path; i < words.size(); ++i)
    if (!list_files(words[i], &files)) return complain(words[i] + ": cannot be read", kUsage);
  return command == "gather" ? gather(*info, words[2], files) : show(*info, files);
}

}  // namespace
}  // namespace targets

int main(int argc, char** argv) {
  return targets::run({argv + 1, argv + argc});
}
