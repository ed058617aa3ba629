// SPDX-License-Identifier: Apache-2.0
#include "sched/image_objects.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace sched {
namespace {

struct File {
  const char* bytes = nullptr;
  size_t size = 0;
};

// Mapped for good: names point into it.
File map_executable() {
  File file;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file;
  struct stat info;
  if (fstat(fd, &info) == 0) {
    void* p = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (p != MAP_FAILED) file = {static_cast<const char*>(p), static_cast<size_t>(info.st_size)};
  }
  close(fd);
  return file;
}

int note_base(dl_phdr_info* info, size_t, void* base) {
  *static_cast<uintptr_t*>(base) = info->dlpi_addr;
  return 1;  // the first is the executable
}

void add_objects(const File& file, const Elf64_Shdr& symbols, const Elf64_Shdr& names,
                 uintptr_t base, std::vector<ImageObject>& objects) {
  const auto* first = reinterpret_cast<const Elf64_Sym*>(file.bytes + symbols.sh_offset);
  for (const auto* s = first; s != first + symbols.sh_size / sizeof *s; ++s)
    if (ELF64_ST_TYPE(s->st_info) == STT_OBJECT && s->st_size != 0 && s->st_shndx != SHN_UNDEF)
      objects.push_back(
          {base + s->st_value, s->st_size, file.bytes + names.sh_offset + s->st_name});
}

bool lies_in(const File& file, size_t offset, size_t size) {
  return offset <= file.size && size <= file.size - offset;
}

std::vector<ImageObject> read_objects() {
  std::vector<ImageObject> objects;
  const File file = map_executable();
  if (!lies_in(file, 0, sizeof(Elf64_Ehdr))) return objects;
  const auto& header = *reinterpret_cast<const Elf64_Ehdr*>(file.bytes);
  if (!lies_in(file, header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr))) return objects;
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(file.bytes + header.e_shoff);
  uintptr_t base = 0;
  dl_iterate_phdr(note_base, &base);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr& symbols = sections[i];
    if (symbols.sh_type != SHT_SYMTAB || symbols.sh_link >= header.e_shnum) continue;
    const Elf64_Shdr& names = sections[symbols.sh_link];
    if (lies_in(file, symbols.sh_offset, symbols.sh_size) &&
        lies_in(file, names.sh_offset, names.sh_size))
      add_objects(file, symbols, names, base, objects);
  }
  std::sort(objects.begin(), objects.end(),
            [](const ImageObject& a, const ImageObject& b) { return a.address < b.address; });
  return objects;
}

}  // namespace

const ImageObject* image_object_at(uintptr_t address) {
  static const auto* objects = new std::vector<ImageObject>(read_objects());
  auto after =
      std::upper_bound(objects->begin(), objects->end(), address,
                       [](uintptr_t a, const ImageObject& object) { return a < object.address; });
  if (after == objects->begin()) return nullptr;
  const ImageObject& object = *--after;
  return address - object.address < object.size ? &object : nullptr;
}

}  // namespace sched
