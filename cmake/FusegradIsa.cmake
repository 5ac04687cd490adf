# One OBJECT library per instruction-set level of the target processor, all from the same source,
# and one for what AVX-512 gains where the processor has bfloat16 instructions too.
# fusegrad_add_isa_libraries(<variable>) stores their $<TARGET_OBJECTS:...> in <variable>;
# the caller adds those, csrc/src/kernels/dispatch.cpp and csrc/src/runtime/cpu.cpp to the core.

function(fusegrad_add_isa_libraries out)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(levels baseline avx2 avx512 avx512_bf16)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(levels neon)
  else()
    message(FATAL_ERROR "fusegrad has no kernels for the processor ${CMAKE_SYSTEM_PROCESSOR}")
  endif()

  set(flags_baseline "")
  set(flags_neon "")
  set(flags_avx2 -mavx2 -mfma -mbmi -mbmi2 -mf16c)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512cd
                   -mprefer-vector-width=512)
  # GCC 12 warns inside its own AVX-512 headers (undefined source operands of masked forms).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags_avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
  set(flags_avx512_bf16 ${flags_avx512} -mavx512bf16)

  set(objects "")
  foreach(level IN LISTS levels)
    set(target fusegrad_kernels_${level})
    set(source isa.cpp)
    if(level STREQUAL "avx512_bf16")
      set(source gemm_bf16.cpp)
    endif()
    add_library(${target} OBJECT "${PROJECT_SOURCE_DIR}/csrc/src/kernels/${source}")
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/csrc/include"
                                                 "${PROJECT_SOURCE_DIR}/csrc/src")
    target_compile_features(${target} PRIVATE cxx_std_17)
    target_compile_definitions(${target} PRIVATE FUSEGRAD_ISA=${level} FUSEGRAD_BUILDING_CORE)
    # Last on the command line, so that they win over CMAKE_CXX_FLAGS and the build type: the bits
    # of the results depend on contraction staying off, the speed on -O3, and the safety of running
    # on older processors on no link-time optimisation moving code between levels.
    target_compile_options(
      ${target}
      PRIVATE -O3
              ${flags_${level}}
              -ffp-contract=off
              -fno-fast-math
              -fno-math-errno
              -fno-trapping-math
              -fno-lto
              -fno-exceptions
              -fno-rtti
              -fno-asynchronous-unwind-tables)
    set_target_properties(
      ${target}
      PROPERTIES POSITION_INDEPENDENT_CODE ON
                 CXX_VISIBILITY_PRESET hidden
                 VISIBILITY_INLINES_HIDDEN ON
                 INTERPROCEDURAL_OPTIMIZATION OFF
                 CXX_EXTENSIONS OFF)
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()
