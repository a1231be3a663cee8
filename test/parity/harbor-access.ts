/** Who calls. Of a public project everybody reads. */
export const callers = {
  anonymous: undefined,
  stranger: undefined,
  guest: 'reader',
  developer: 'publisher',
  maintainer: 'maintainer',
  robot: 'publisher',
  admin: 'admin',
} as const;

export type Who = keyof typeof callers;

type May = {
  readonly read: number;
  readonly uploadChart: number;
  readonly uploadProvenance: number;
  readonly replace: number;
  readonly delete: number;
  readonly label: number;
};

const all = (status: number): May => ({
  read: status,
  uploadChart: status,
  uploadProvenance: status,
  replace: status,
  delete: status,
  label: status,
});
const mayRead: May = { ...all(403), read: 200 };
const mayPublish: May = {
  read: 200,
  uploadChart: 201,
  uploadProvenance: 201,
  replace: 201,
  delete: 403,
  label: 200,
};
const mayAll: May = { ...mayPublish, delete: 200 };

/** Contract 2.3. To somebody who may not read it, a private project is not there; Harbor says 403. */
export const whoMayWhat: Readonly<Record<'public' | 'private', Readonly<Record<Who, May>>>> = {
  public: {
    anonymous: { ...all(401), read: 200 },
    stranger: mayRead,
    guest: mayRead,
    developer: mayPublish,
    maintainer: mayAll,
    // Harbor's could not list until 2.2, and were each told what they may.
    robot: mayPublish,
    admin: mayAll,
  },
  private: {
    anonymous: all(401),
    stranger: all(404),
    guest: mayRead,
    developer: mayPublish,
    maintainer: mayAll,
    robot: mayPublish,
    admin: mayAll,
  },
};
