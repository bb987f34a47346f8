// SPDX-License-Identifier: GPL-3.0-or-later
// Every page there is, as an administrator comes to it.
import { world } from './lib.mjs';

const image = (name) => `/ui/images/${world.images[name]}`;
export const imageOf = image;
export const repository = (name) => `/ui/repositories?name=${encodeURIComponent(name)}`;
export const SHOP = 'gate.internal/hosted/shop/web';
export const parts = ['findings', 'layers', 'packages', 'suppressed', 'diff', 'changes', 'pulls', 'sbom'];
const LAB = image('hosted/lab/try:1');

// Names are those of the screenshots.
export const places = [
  ['overview', '/ui/', 'Overview'],
  ['repositories', '/ui/repositories', 'Repositories'],
  ['repository', repository(SHOP), SHOP],
  ['repository-nightly', repository('gate.internal/hosted/shop/nightly'), 'gate.internal/hosted/shop/nightly'],
  ['images', '/ui/images', 'Images'],
  ['images-worst', '/ui/images?order=worst&severity=high', 'Images'],
  ...parts.map((p) => [`image-${p}`, `${LAB}?part=${p}`, 'gate.internal/hosted/lab/try:1']),
  ['image-cleared', image('hosted/base/alpine:3.20.3'), 'gate.internal/hosted/base/alpine:3.20.3'],
  ['image-compared', `${image('hosted/shop/web:1.1')}?part=diff&with=${encodeURIComponent(`${SHOP}:1.4`)}`,
    `${SHOP}:1.1`],
  ['quarantine', '/ui/quarantine', 'Quarantine'],
  ['advisories', '/ui/advisories', 'Advisories'],
  ['advisory', '/ui/advisories/CVE-2022-0778', 'CVE-2022-0778'],
  ['policy', '/ui/policy', 'Policy'],
  ['log', '/ui/log', 'Log'],
  ['surveys', '/ui/surveys', 'Surveys'],
  ['notifications', '/ui/notifications', 'Notifications'],
  ['login', '/ui/login', 'Sign in'],
  ['nowhere', '/ui/nowhere', 'No such page'],
];
if (world.survey) places.push(['survey', '/ui/surveys/1', null]);
