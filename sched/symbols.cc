// SPDX-License-Identifier: Apache-2.0
#include "sched/symbols.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <fstream>
#include <tuple>
#include <vector>

#include "sched/demangle.h"

namespace sched {
namespace {

struct Variable {
  uintptr_t address;
  size_t size;
  std::string name;
};

// The executable's load address comes first in the list.
uintptr_t load_address() {
  uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        *static_cast<uintptr_t*>(to) = info->dlpi_addr;
        return 1;
      },
      &base);
  return base;
}

template <class T>
std::vector<T> read_table(std::ifstream& file, uint64_t offset, uint64_t bytes) {
  std::vector<T> table(bytes / sizeof(T));
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(table.data()),
            static_cast<std::streamsize>(table.size() * sizeof(T)));
  if (!file) table.clear();
  return table;
}

void add_variables(std::ifstream& file, const ElfW(Shdr) & symbols, const ElfW(Shdr) & strings,
                   std::vector<Variable>& to) {
  std::vector<char> names = read_table<char>(file, strings.sh_offset, strings.sh_size);
  names.push_back(0);
  const uintptr_t base = load_address();
  for (const ElfW(Sym) & s : read_table<ElfW(Sym)>(file, symbols.sh_offset, symbols.sh_size)) {
    if (ELF64_ST_TYPE(s.st_info) != STT_OBJECT || s.st_size == 0 || s.st_name >= names.size())
      continue;
    to.push_back({base + s.st_value, s.st_size, names.data() + s.st_name});
  }
}

std::vector<Variable> load() {
  std::vector<Variable> all;
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const auto header = read_table<ElfW(Ehdr)>(file, 0, sizeof(ElfW(Ehdr)));
  if (header.empty()) return all;
  const auto sections =
      read_table<ElfW(Shdr)>(file, header[0].e_shoff, header[0].e_shnum * sizeof(ElfW(Shdr)));
  for (const ElfW(Shdr) & s : sections)
    if (s.sh_type == SHT_SYMTAB && s.sh_link < sections.size())
      add_variables(file, s, sections[s.sh_link], all);
  std::sort(all.begin(), all.end(), [](const Variable& a, const Variable& b) {
    return std::tie(a.address, a.name) < std::tie(b.address, b.name);
  });
  return all;
}

}  // namespace

std::string variable_at(uintptr_t address) {
  static const auto* all = new std::vector<Variable>(load());
  auto after = std::upper_bound(all->begin(), all->end(), address,
                                [](uintptr_t a, const Variable& v) { return a < v.address; });
  if (after == all->begin()) return "";
  const Variable& v = *--after;
  const uintptr_t offset = address - v.address;
  if (offset >= v.size) return "";
  return demangled(v.name) + (offset == 0 ? "" : "+" + std::to_string(offset));
}

}  // namespace sched
