#!/usr/bin/env python3
"""Makes rpm databases and lets rpm itself say what is in them; for test_rpm.c.

    rpmdb_oracle.py OUT SHARED

writes below OUT, for each case, the database file and `expected.tsv`, the list that `rpm -qa` gives
of it:
  built/     packages made by rpmbuild here, installed into an SQLite database
  bdb-le/    the headers of an SQLite fixture as a Berkeley DB hash, little-endian
  bdb-be/    the same, big-endian
  bdb-small/ the same with pages of 512 bytes
  ndb/       an ndb fixture; its headers are found here by their magic words, not by its slots, and
             put into an SQLite database that rpm can read
Cases for which a tool or SHARED is missing are left out.
"""
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys

QUERY = ("%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t"
         "%{MODULARITYLABEL}\\n")
SPEC = """
Name: {name}
Version: {version}
Release: {release}
{more}
Summary: test
License: none
BuildArch: noarch
%description
test
%files
%package -n {name}-libs
Summary: sub
%description -n {name}-libs
sub
%files -n {name}-libs
"""
PACKAGES = [
    ("plain", "1.0", "1", ""),
    ("with-dashes-2", "2.0~rc1^git5", "3.el9_4.1", "Epoch: 2"),
    ("zero-epoch", "3", "1", "Epoch: 0"),
    ("modular", "10.1", "2.module+el8", "ModularityLabel: nodejs:10:820190101:abcd"),
]


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          **more).stdout


def listing(dbdir, *options):
    text = run("rpm", "-qa", "--dbpath", dbdir, *options, "--qf", QUERY).decode()
    return "".join(sorted(l for l in text.splitlines(True) if not l.startswith("gpg-pubkey\t")))


def save(where, text):
    with open(os.path.join(where, "expected.tsv"), "w") as f:
        f.write(text)


def blobs_of_sqlite(path):
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    return [bytes(r[0]) for r in db.execute("SELECT blob FROM Packages ORDER BY hnum")]


def blobs_of_ndb(path):
    data = open(path, "rb").read()
    for hit in re.finditer(rb"BlbS", data):
        if hit.start() % 16 == 0:
            length = struct.unpack_from("<I", data, hit.start() + 12)[0]
            yield data[hit.start() + 16:hit.start() + 16 + length]


def make_built(where):
    os.makedirs(where)
    for name, version, release, more in PACKAGES:
        spec = os.path.join(where, name + ".spec")
        with open(spec, "w") as f:
            f.write(SPEC.format(name=name, version=version, release=release, more=more))
        run("rpmbuild", "-bb", "--define", f"_topdir {where}/top", spec)
    files = [os.path.join(d, f) for d, _, fs in os.walk(where) for f in fs if f.endswith(".rpm")]
    run("rpm", "--dbpath", where, "--define", "_db_backend sqlite", "-i", "--justdb", "--nodeps",
        "--noscripts", *files)
    save(where, listing(where))


def make_bdb(where, blobs, order, page):
    os.makedirs(where)
    number = ">I" if order == 4321 else "<I"
    lines = ["VERSION=3", "format=bytevalue", "type=hash", f"db_lorder={order}",
             f"db_pagesize={page}", "HEADER=END", " 00000000",
             " " + struct.pack(number, len(blobs)).hex()]
    for i, blob in enumerate(blobs, 1):
        lines += [" " + struct.pack(number, i).hex(), " " + blob.hex()]
    lines.append("DATA=END\n")
    run("db5.3_load", os.path.join(where, "Packages"), input="\n".join(lines).encode())
    save(where, listing(where, "--define", "_db_backend bdb_ro"))


def make_ndb(where, path):
    scratch = os.path.join(where, "scratch")
    os.makedirs(scratch)
    run("rpmdb", "--initdb", "--define", "_db_backend sqlite", "--dbpath", scratch)
    db = sqlite3.connect(os.path.join(scratch, "rpmdb.sqlite"))
    db.executemany("INSERT INTO Packages(blob) VALUES (?)", ((b,) for b in blobs_of_ndb(path)))
    db.commit()
    db.close()
    shutil.copy(path, os.path.join(where, "Packages.db"))
    save(where, listing(scratch))


def main():
    out, shared = sys.argv[1:3]
    out = os.path.abspath(out)
    if shutil.which("rpmbuild"):
        make_built(os.path.join(out, "built"))
    sqlite = os.path.join(shared, "fixtures/rpmdb/sqlite-cbl-mariner-2.0/rpmdb.sqlite")
    if os.path.exists(sqlite) and shutil.which("db5.3_load"):
        blobs = blobs_of_sqlite(sqlite)
        make_bdb(os.path.join(out, "bdb-le"), blobs, 1234, 4096)
        make_bdb(os.path.join(out, "bdb-be"), blobs, 4321, 4096)
        make_bdb(os.path.join(out, "bdb-small"), blobs, 1234, 512)
    ndb = os.path.join(shared, "fixtures/rpmdb/ndb-sle15-bci/Packages.db")
    if os.path.exists(ndb):
        make_ndb(os.path.join(out, "ndb"), ndb)


main()
