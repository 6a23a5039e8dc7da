# Kernel discovery: the folders are the lists. A descriptor is a header in csrc/kernels/<family>/ with a line
# MPSKIT_KERNEL(family, Name); its file name is the name of its CPU file, Metal file and test.

# mpskit_find_kernels(OUT): OUT becomes a list of family|Name|stem.
function(mpskit_find_kernels out)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/csrc/kernels" "${PROJECT_SOURCE_DIR}/csrc/kernels/*/*.hpp")
  set(found "")
  foreach(header IN LISTS headers)
    if(header MATCHES "^common/")
      continue()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/kernels/${header}")
    string(REGEX REPLACE "\\.hpp$" "" stem "${header}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/csrc/kernels/${header}" line REGEX "^MPSKIT_KERNEL\\(")
    if(NOT line MATCHES "^MPSKIT_KERNEL\\(([a-z]+), ([A-Za-z0-9]+)\\)$")
      message(FATAL_ERROR "csrc/kernels/${header} has no line MPSKIT_KERNEL(family, Name); end the descriptor with it.")
    endif()
    list(APPEND found "${CMAKE_MATCH_1}|${CMAKE_MATCH_2}|${stem}")
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# mpskit_widest_isa(OUT): the widest of this machine's instruction sets that the wrappers below are compiled for.
function(mpskit_widest_isa out)
  set(CMAKE_REQUIRED_QUIET ON)
  set(widest baseline)
  foreach(isa avx2 avx512)
    set(features avx2 fma)  # f16c came before them; clang 14 cannot ask for it
    if(isa STREQUAL avx512)
      list(APPEND features avx512f avx512vl avx512bw avx512dq)
    endif()
    list(TRANSFORM features REPLACE "(.+)" "__builtin_cpu_supports(\"\\1\")")
    list(JOIN features " && " condition)
    check_cxx_source_runs("int main() { return !(${condition}); }" MPSKIT_HAS_${isa})
    if(MPSKIT_HAS_${isa})
      set(widest ${isa})
    endif()
  endforeach()
  set(${out} ${widest} PARENT_SCOPE)
endfunction()

# mpskit_isa_libraries(OUT): an object library for each ISA, of one wrapper for each source in csrc/cpu/<folder>/. The wrapper opens
# the target pragma behind the standard headers, so that no inline function of theirs is compiled for an instruction set that the
# machine may lack. Both spellings are needed: GCC ignores clang's, clang ignores GCC's. Where all functions
# of a source came with one before it, nothing is left for the pragma, of which clang warns.
function(mpskit_isa_libraries out)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(isas "baseline|16|" "avx2|32|avx2,fma,f16c,bmi,bmi2" "avx512|64|avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c,bmi,bmi2")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(isas "neon|16|")
  else()
    set(isas "baseline|16|")
  endif()
  if(MPSKIT_ISAS)
    set(wanted ${MPSKIT_ISAS})
  elseif(CMAKE_CROSSCOMPILING OR NOT isas MATCHES "avx2")
    set(wanted all)
  else()
    mpskit_widest_isa(wanted)
  endif()
  if(NOT wanted STREQUAL "all")
    list(JOIN wanted "|" wanted)
    list(FILTER isas INCLUDE REGEX "^(${wanted})\\|")
  endif()
  if(NOT isas)
    message(FATAL_ERROR "MPSKIT_ISAS=${MPSKIT_ISAS} names no instruction set of this architecture; allowed: all, or of baseline, avx2, avx512 (x86-64), neon (arm64).")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/csrc" "${PROJECT_SOURCE_DIR}/csrc/cpu/*/*.cpp")
  set(libraries "")
  foreach(isa IN LISTS isas)
    string(REGEX MATCH "^([a-z0-9]+)\\|([0-9]+)\\|(.*)$" _ "${isa}")
    set(name "${CMAKE_MATCH_1}")
    set(bytes "${CMAKE_MATCH_2}")
    set(target "${CMAKE_MATCH_3}")
    set(push "")
    set(pop "")
    if(target)
      set(push "#if defined(__clang__)\n#pragma clang diagnostic ignored \"-Wpragma-clang-attribute\"\n#pragma clang attribute push(__attribute__((target(\"${target}\"))), apply_to = function)\n#else\n#pragma GCC push_options\n#pragma GCC target(\"${target}\")\n#endif\n")
      set(pop "#if defined(__clang__)\n#pragma clang attribute pop\n#else\n#pragma GCC pop_options\n#endif\n")
    endif()
    set(wrappers "")
    foreach(source IN LISTS sources)
      string(REGEX REPLACE "^cpu/(.*)\\.cpp$" "\\1" stem "${source}")
      string(REPLACE "/" "_" flat "${stem}")
      set(descriptor "")
      if(EXISTS "${PROJECT_SOURCE_DIR}/csrc/kernels/${stem}.hpp")
        set(descriptor "#include \"kernels/${stem}.hpp\"\n")
      endif()
      set(wrapper "${PROJECT_BINARY_DIR}/gen/isa/${flat}.${name}.cpp")
      file(CONFIGURE OUTPUT "${wrapper}" CONTENT
"#define MPSKIT_ISA ${name}
#define MPSKIT_VECTOR_BYTES ${bytes}
#include \"cpu/kernel.hpp\"
${descriptor}${push}#include \"${source}\"
${pop}" @ONLY)
      list(APPEND wrappers "${wrapper}")
    endforeach()
    add_library(mpskit_cpu_${name} OBJECT ${wrappers})
    list(APPEND libraries mpskit_cpu_${name})
    target_compile_definitions(mpskit_cpu PRIVATE MPSKIT_BUILDS_${name})
  endforeach()
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

# mpskit_kernel_list(OUT KERNELS): the sources that define the types of all kernels and parameter objects, one each, and the one
# that lists them for whoever walks them. A parameter object is a header in csrc/kernels/<family>/values/ with a line
# MPSKIT_VALUE(family, Name).
function(mpskit_kernel_list out kernels)
  set(sources "")
  set(value_headers "")
  set(listed_values "")
  set(value_types "")
  set(kernel_types "")
  set(declarations "")
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/csrc/kernels" "${PROJECT_SOURCE_DIR}/csrc/kernels/*/values/*.hpp")
  foreach(header IN LISTS headers)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/kernels/${header}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/csrc/kernels/${header}" line REGEX "^MPSKIT_VALUE\\(")
    if(NOT line MATCHES "^MPSKIT_VALUE\\(([a-z]+), ([A-Za-z0-9]+)\\)$")
      message(FATAL_ERROR "csrc/kernels/${header} has no line MPSKIT_VALUE(family, Name); end the header with it.")
    endif()
    set(family "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    string(APPEND value_headers "#include \"kernels/${header}\"\n")
    string(APPEND listed_values "MPSKIT_LISTED(${family}::${name})\n")
    string(APPEND declarations "namespace ${family} { struct ${name}; }\ntemplate <> const ValueType& value_type<${family}::${name}>();\n")
    string(APPEND value_types "    &value_type<${family}::${name}>(),\n")
    mpskit_definition(sources "${header}" "MPSKIT_DEFINE_VALUE(${family}, ${name})")
  endforeach()
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/gen/value_headers.inc" CONTENT "${value_headers}" @ONLY)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/gen/value_list.inc" CONTENT "${listed_values}" @ONLY)
  foreach(kernel IN LISTS kernels)
    string(REGEX MATCH "^([a-z]+)\\|([A-Za-z0-9]+)\\|(.*)$" _ "${kernel}")
    set(family "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    set(stem "${CMAKE_MATCH_3}")
    string(APPEND declarations "namespace ${family} { struct ${name}; }\ntemplate <> const KernelType& kernel_type<${family}::${name}>();\n")
    string(APPEND kernel_types "    &kernel_type<${family}::${name}>(),\n")
    mpskit_definition(sources "${stem}.hpp" "MPSKIT_DEFINE_KERNEL(${family}, ${name})")
  endforeach()
  set(list "${PROJECT_BINARY_DIR}/gen/kernel_list.cpp")
  file(CONFIGURE OUTPUT "${list}" CONTENT
"#include \"core/kernel.hpp\"
namespace mpskit {
${declarations}
std::span<const KernelType* const> kernel_types() {
  static const std::vector<const KernelType*> list{
${kernel_types}  };
  return list;
}
std::span<const ValueType* const> value_types() {
  static const std::vector<const ValueType*> list{
${value_types}  };
  return list;
}
}  // namespace mpskit
" @ONLY)
  set(${out} "${list};${sources}" PARENT_SCOPE)
endfunction()

# mpskit_definition(SOURCES HEADER LINE): adds a source that includes this header and holds this line.
macro(mpskit_definition sources header line)
  string(REGEX REPLACE "[/.]" "_" flat "${header}")
  set(definition "${PROJECT_BINARY_DIR}/gen/types/${flat}.cpp")
  file(CONFIGURE OUTPUT "${definition}" CONTENT "#include \"kernels/${header}\"\n${line}\n" @ONLY)
  list(APPEND ${sources} "${definition}")
endmacro()

# mpskit_shader_source(OUT): one C++ source that holds csrc/metal/shaders/ as text, the headers before the shaders.
function(mpskit_shader_source out)
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/metal/shaders/*.h")
  file(GLOB shaders CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/metal/shaders/*.metal")
  set(text "")
  foreach(file IN LISTS headers shaders)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(READ "${file}" content)
    string(REGEX REPLACE "#(pragma once|include \"[^\"]*\")\n" "" content "${content}")
    string(APPEND text "${content}")
  endforeach()
  set(source "${PROJECT_BINARY_DIR}/gen/shader_source.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT
"#include \"metal/shader_source.hpp\"
namespace mpskit::metal {
const std::string_view shader_source = R\"msl(${text})msl\";
}  // namespace mpskit::metal
" @ONLY)
  set(${out} "${source}" PARENT_SCOPE)
endfunction()
