# What film needs: FFmpeg's libraries and zimg. Debian's package of FFmpeg contains x264 and x265, which are under the GPL, so a
# program that links it is under the GPL too; for that reason film is a part (docs/parts.md).
option(WEIR_FILM_PART "Build what film needs, where FFmpeg's libraries and zimg are found" ON)
if(WEIR_FILM_PART)
  pkg_check_modules(FFMPEG IMPORTED_TARGET libavformat>=59 libavcodec>=59 libavfilter>=8 libavutil>=57.28
                    libswresample>=4.7)
  pkg_check_modules(ZIMG IMPORTED_TARGET zimg>=3.0)
endif()
if(FFMPEG_FOUND AND ZIMG_FOUND)
  set(WEIR_FILM ON)
  add_library(weir_film_libraries INTERFACE)
  target_link_libraries(weir_film_libraries INTERFACE PkgConfig::FFMPEG PkgConfig::ZIMG)
else()
  message(STATUS "film: not built, FFmpeg's libraries or zimg are missing (scripts/need_packages film installs them)")
endif()
