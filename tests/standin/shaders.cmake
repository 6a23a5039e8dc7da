# standin_shaders(TARGET FILES...): compiles Metal shaders as C++ into TARGET, where newFunctionWithName: finds them.
function(standin_shaders target)
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(stem ${file} NAME_WE)
    file(READ ${file} text)
    string(REGEX MATCHALL "\nkernel void [A-Za-z0-9_]+" kernels "${text}")  # at the beginning of a line: not in a comment
    set(registrations "")
    foreach(kernel ${kernels})
      string(REPLACE "\nkernel void " "" name ${kernel})
      string(APPEND registrations "[[maybe_unused]] static const bool ${name}_added = standin::add_shader(\"${name}\", &${name});\n")
    endforeach()
    # A namespace of its own, as kernels are called what they do.
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/shaders/${target}/${stem}.mm CONTENT
      "#include <metal_stdlib>\nnamespace shader_${stem} {\n#include \"${file}\"\n${registrations}}\n")
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/shaders/${target}/${stem}.mm)
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/shaders/${target}/${stem}.mm PROPERTIES
      COMPILE_OPTIONS "-I${CMAKE_CURRENT_FUNCTION_LIST_DIR}/shaders;-Wno-unknown-attributes")
  endforeach()
endfunction()
