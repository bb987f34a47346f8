# escape=`
# syntax = docker/dockerfile:1 

FROM mcr.microsoft.com/windows/servercore:ltsc2022
COPY a c:\
FROM alpine `
  AS x
RUN dir c:\ `
  FROM evil:1
FROM busybox
