import { expect, type FrameLocator, type Locator } from '@playwright/test';

/** OpenRefine's own pages, as a person uses them (3.6 and later). */
export class OpenRefine {
  constructor(private readonly frame: FrameLocator) {}

  /** Seen on the page that OpenRefine begins with, and on no page of ours. */
  get tasks(): Locator {
    return this.frame.locator('#action-area-tabs');
  }

  /** The name of the project that is open. */
  get projectName(): Locator {
    return this.frame.locator('#project-name-button');
  }

  /** Make a project from a file of this computer; returns on the project's own page. */
  async createProject(file: string, name: string, rows: number): Promise<void> {
    await this.beginImport(file);
    await this.finishImport(name, rows);
  }

  /** Begin to make a project from a file of this computer; returns where it is previewed. */
  async beginImport(file: string): Promise<void> {
    const { frame } = this;
    await this.tasks.getByText('Create project').click();
    await frame.getByText('This Computer').click();
    const upload = frame.locator('form:has(input[name=upload])');
    await upload.locator('input[name=upload]').setInputFiles(file);
    await upload.getByRole('button', { name: 'Next' }).click();
    await expect(this.newName).toBeVisible();
  }

  /** Make the project that is previewed; returns on the project's own page. */
  async finishImport(name: string, rows: number): Promise<void> {
    const { frame } = this;
    await this.newName.fill(name);
    await frame.getByRole('button', { name: 'Create Project' }).click();
    await expect(this.projectName).toHaveText(name);
    await expect(frame.locator('#summary-bar')).toContainText(`${rows} rows`);
  }

  /** What the project is to be called, where it is previewed. */
  get newName(): Locator {
    return this.frame.locator('[bind=projectNameInput]');
  }

  /** Ask for the values of a column and how often each is there. */
  async addTextFacet(column: string): Promise<void> {
    const { frame } = this;
    await frame
      .locator('.column-header')
      .filter({ hasText: column })
      .locator('.column-header-menu')
      .click();
    await frame
      .locator('.menu-item')
      .filter({ hasText: /^Facet$/ })
      .hover();
    await frame
      .locator('.menu-item')
      .filter({ hasText: /^Text facet$/ })
      .click();
  }

  /** A change that is saved with the project. */
  async starFirstRow(): Promise<void> {
    await this.frame.locator('.data-table-star-off').first().click();
    await expect(
      this.frame.locator('.data-table-star-on').first()
    ).toBeVisible();
  }

  /** One value of a facet, with its number. */
  choice(value: string): Locator {
    return this.frame.locator('.facet-choice').filter({ hasText: value });
  }

  /** Leave a project for the list of all of them. */
  async listProjects(): Promise<void> {
    await this.frame.locator('#app-home-button').click();
    await this.tasks.getByText('Open project').click();
  }

  /** A project in the list of all of them. */
  project(name: string): Locator {
    return this.frame.locator('#projects-list').getByRole('link', { name });
  }
}
